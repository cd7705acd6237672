using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace AiFabrik.Engine.Models.Gguf;

/// <summary>
/// A GGUF model, memory-mapped: one file, or several that are named <c>NAME-00001-of-0000N.gguf</c> as llama.cpp splits them.
/// Metadata is the first part's.
/// </summary>
public sealed class GgufFile : IDisposable
{
    private readonly List<FileBytes> _parts = [];
    private readonly List<GgufTensor> _tensors = [];
    private readonly Dictionary<string, GgufTensor> _byName = [];

    private GgufFile(string path) => Path = path;

    /// <summary>The (first) file.</summary>
    public string Path { get; }

    /// <summary>All files of the model, the first one first.</summary>
    public IEnumerable<string> PartPaths => _parts.Select(p => p.Name);

    /// <summary>Bytes of all files together.</summary>
    public long LengthBytes => _parts.Sum(p => p.LengthBytes);

    public uint Version { get; private set; }
    public int AlignmentBytes { get; private set; }
    public GgufMetadata Metadata { get; private set; } = null!;

    /// <summary>All tensors, in the files' order.</summary>
    public IReadOnlyList<GgufTensor> Tensors => _tensors;

    public bool TryGetTensor(string name, [NotNullWhen(true)] out GgufTensor? tensor) => _byName.TryGetValue(name, out tensor);

    /// <summary>The bytes of a tensor that is smaller than 2 GiB.</summary>
    internal ReadOnlySpan<byte> TensorBytes(GgufTensor tensor)
    {
        foreach (var part in _parts)
        {
            var start = tensor.Weight.Data - part.Address;
            if (start >= 0 && start < part.LengthBytes) return part.Bytes(start, checked((int)tensor.Bytes));
        }
        throw new ArgumentException("The tensor is another file's.", nameof(tensor));
    }

    /// <summary>Opens a model by its (first) file. The error is one sentence that names the file and what is wrong with it.</summary>
    public static bool TryOpen(string path, [NotNullWhen(true)] out GgufFile? file, [NotNullWhen(false)] out string? error)
    {
        file = null;
        return FileBytes.TryMap(path, out var bytes, out error) && TryOpen(bytes, out file, out error);
    }

    /// <summary>Opens a model from its first file's bytes, which it owns from now on.</summary>
    internal static bool TryOpen(FileBytes first, [NotNullWhen(true)] out GgufFile? file, [NotNullWhen(false)] out string? error)
    {
        var opened = new GgufFile(first.Name);
        error = opened.Open(first);
        file = error is null ? opened : null;
        if (error is not null) opened.Dispose();
        return error is null;
    }

    private string? Open(FileBytes first)
    {
        _parts.Add(first);
        if (!GgufHeader.TryParse(first, out var header, out var error)) return error;
        Metadata = header.Metadata;
        Version = header.Version;
        AlignmentBytes = header.AlignmentBytes;
        if ((error = Add(header)) is not null) return error;
        if (!TrySplit(header.Metadata, out var no, out var count, out var total)) return $"{Path}: its split.* keys contradict each other.";
        if (no != 0) return $"{Path} is part {no + 1} of {count}: give the first part instead.";
        for (var i = 1; i < count; i++)
            if ((error = OpenPart(i, count, total)) is not null) return error;
        return count > 1 && total != _tensors.Count ? $"{Path}: split.tensors.count is {total}, but the {count} parts hold {_tensors.Count} tensors." : null;
    }

    private string? OpenPart(int no, int count, long total)
    {
        if (!TryPartPath(Path, no, count, out var path)) return $"{Path} says that it is one of {count} parts, but is not named -00001-of-{count:00000}.gguf, so the others cannot be found.";
        if (!File.Exists(path)) return $"{path} is missing: the model is split into {count} files.";
        if (!FileBytes.TryMap(path, out var bytes, out var error)) return error;
        _parts.Add(bytes);
        if (!GgufHeader.TryParse(bytes, out var header, out error)) return error;
        if (!TrySplit(header.Metadata, out var partNo, out var partCount, out var partTotal) || partNo != no || partCount != count || partTotal != total)
            return $"{path} is not part {no + 1} of {count} of the model that {Path} begins.";
        return Add(header);
    }

    private string? Add(GgufHeader header)
    {
        if (_tensors.Count + header.Tensors.Count > GgufLimits.TensorsMax) return $"{Path}: its parts hold more than {GgufLimits.TensorsMax} tensors.";
        foreach (var tensor in header.Tensors)
        {
            if (!_byName.TryAdd(tensor.Name, tensor)) return $"{Path}: tensor {ModelText.Quote(tensor.Name)} stands in two of its parts.";
            _tensors.Add(tensor);
        }
        return null;
    }

    /// <summary>What the split.* keys say; a file without them is the only part.</summary>
    private static bool TrySplit(GgufMetadata metadata, out int no, out int count, out long total)
    {
        (no, count, total) = (0, 1, -1);
        if (!metadata.Contains("split.count")) return true;
        if (!metadata.TryGetInt64("split.count", out var n) || n is < 0 or > GgufLimits.SplitsMax) return false;
        if (n <= 1) return true;
        if (!metadata.TryGetInt64("split.no", out var i) || i < 0 || i >= n || !metadata.TryGetInt64("split.tensors.count", out total)) return false;
        (no, count) = ((int)i, (int)n);
        return true;
    }

    /// <summary>Name of another part: the first one's with its number replaced.</summary>
    private static bool TryPartPath(string first, int no, int count, out string path)
    {
        var ending = string.Create(CultureInfo.InvariantCulture, $"-00001-of-{count:00000}.gguf");
        path = first.EndsWith(ending, StringComparison.Ordinal)
            ? string.Create(CultureInfo.InvariantCulture, $"{first.AsSpan(0, first.Length - ending.Length)}-{no + 1:00000}-of-{count:00000}.gguf") : "";
        return path.Length > 0;
    }

    public void Dispose()
    {
        foreach (var part in _parts) part.Dispose();
    }
}
