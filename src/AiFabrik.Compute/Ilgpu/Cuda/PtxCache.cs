using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Cuda;

/// <summary>
/// Compiled kernels on disk, so that a start does not wait for ILGPU. The key is a hash of the kernel (its assembly's build identity and its method), ILGPU's
/// version, the optimisation level and the architecture. Files hold PTX and nothing of any request.
/// </summary>
/// <param name="directory">Where the files lie; made at the first write. Must be the user's own: its files are run on the device.</param>
internal sealed class PtxCache(string directory)
{
    /// <summary>The longest file that is read.</summary>
    public const int FileBytesMax = 8 << 20;

    /// <summary>Files in the directory; the least recently written go first.</summary>
    public const int FilesMax = 512;

    private const int HashCharacters = 64;

    /// <summary>The key of a kernel: 64 hexadecimal digits. <paramref name="architecture"/> is the target and what else the patch depends on.</summary>
    public static string Key(MethodInfo kernel, string architecture, OptimizationLevel level)
    {
        string identity = string.Create(CultureInfo.InvariantCulture,
            $"{kernel.Module.ModuleVersionId}|{kernel.DeclaringType?.FullName}|{kernel}|{typeof(Context).Assembly.GetName().Version}|{typeof(Context).Module.ModuleVersionId}|{level}|{architecture}");
        return Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(identity)));
    }

    /// <summary>Reads a kernel's PTX; false where there is none, or the file is damaged (it is then written anew).</summary>
    public bool TryRead(string key, out string ptx)
    {
        ptx = "";
        try
        {
            var file = new FileInfo(PathOf(key));
            if (!file.Exists || file.Length > FileBytesMax)
            {
                return false;
            }
            byte[] bytes = File.ReadAllBytes(file.FullName);
            if (bytes.Length <= HashCharacters || !Encoding.ASCII.GetBytes(Checksum(bytes.AsSpan(HashCharacters))).AsSpan().SequenceEqual(bytes.AsSpan(0, HashCharacters)))
            {
                return false;
            }
            ptx = Encoding.ASCII.GetString(bytes.AsSpan(HashCharacters));
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    /// <summary>Writes a kernel's PTX whole or not at all; false where the disk does not take it, which costs only time at the next start.</summary>
    public bool TryWrite(string key, string ptx)
    {
        byte[] text = Encoding.ASCII.GetBytes(ptx);
        byte[] bytes = [.. Encoding.ASCII.GetBytes(Checksum(text)), .. text];
        try
        {
            DirectoryInfo place = OperatingSystem.IsWindows()
                ? Directory.CreateDirectory(directory)
                : Directory.CreateDirectory(directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            string temporary = Path.Combine(directory, $".{key}.{Environment.ProcessId}.tmp");
            File.WriteAllBytes(temporary, bytes);
            File.Move(temporary, PathOf(key), overwrite: true);
            Trim(place);
            return true;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private string PathOf(string key) => Path.Combine(directory, key + ".ptx");

    private static string Checksum(ReadOnlySpan<byte> text) => Convert.ToHexStringLower(SHA256.HashData(text));

    private static void Trim(DirectoryInfo place)
    {
        FileInfo[] files = place.GetFiles("*.ptx");
        if (files.Length <= FilesMax)
        {
            return;
        }
        Array.Sort(files, static (a, b) => a.LastWriteTimeUtc.CompareTo(b.LastWriteTimeUtc));
        foreach (FileInfo file in files.AsSpan(0, files.Length - FilesMax))
        {
            file.Delete();
        }
    }
}
