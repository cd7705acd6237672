using System.Globalization;
using System.Net;

namespace AiFabrik.Host.Commands;

/// <summary>Reads HOST:PORT.</summary>
internal static class Endpoints
{
    /// <summary>127.0.0.1:8080, [::1]:8080, localhost:8080, or "off" (null). False: none of these.</summary>
    public static bool TryParse(string text, out IPEndPoint? endpoint)
    {
        endpoint = null;
        if (text.Equals("off", StringComparison.OrdinalIgnoreCase)) return true;
        var colon = text.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)) return false;
        var host = text[..colon];
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) host = "127.0.0.1";
        if (host == "*") host = "0.0.0.0";
        if (!IPAddress.TryParse(host.Trim('[', ']'), out var address)) return false;
        endpoint = new IPEndPoint(address, port);
        return true;
    }
}
