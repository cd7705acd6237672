using System.Globalization;
using System.Text;

namespace AiFabrik.Host.Http.Responses;

/// <summary>Answers with an error object in OpenAI's shape.</summary>
internal static class ErrorWriter
{
    /// <summary>Writes status, Retry-After and body. <paramref name="detail"/> (content, UTF-8) replaces the message where given: what a template said.</summary>
    public static ValueTask<System.IO.Pipelines.FlushResult> WriteAsync(HttpContext http, JsonOutput output, ApiError error, ReadOnlySpan<byte> detail = default)
    {
        http.Response.StatusCode = error.Status;
        http.Response.ContentType = "application/json";
        if (error.RetryAfterSeconds > 0) http.Response.Headers.RetryAfter = error.RetryAfterSeconds.ToString(CultureInfo.InvariantCulture);
        output.Attach(http.Response.BodyWriter);
        Object(output, error, detail);
        output.Detach();
        return http.Response.BodyWriter.FlushAsync(CancellationToken.None);
    }

    /// <summary>{"error":{…}}</summary>
    public static void Object(JsonOutput output, ApiError error, ReadOnlySpan<byte> detail = default)
    {
        output.Raw("{\"error\":{\"message\":"u8);
        if (detail.IsEmpty) output.Text(Encoding.UTF8.GetBytes(error.Message));
        else output.Text(detail);
        output.Raw(",\"type\":"u8).Text(Encoding.UTF8.GetBytes(error.Type)).Raw(",\"param\":"u8);
        Optional(output, error.Param);
        output.Raw(",\"code\":"u8);
        Optional(output, error.Code);
        output.Raw("}}"u8);
    }

    private static void Optional(JsonOutput output, string? value)
    {
        if (value is null) output.Raw("null"u8);
        else output.Text(Encoding.UTF8.GetBytes(value));
    }
}
