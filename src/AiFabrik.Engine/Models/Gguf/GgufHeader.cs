using System.Diagnostics.CodeAnalysis;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.Gguf;

/// <summary>
/// Everything of one GGUF file (version 2 or 3) before its tensor data. Parsing checks every length, count, product and offset against the file
/// before it is used: nothing is allocated from a number that the file could not back with bytes.
/// Specification: docs/gguf.md of the ggml project.
/// </summary>
internal sealed class GgufHeader
{
    private const uint Magic = 0x46554747; // "GGUF"
    private const uint MagicSwapped = 0x47475546;

    /// <summary>Least bytes of a metadata pair: key length, a character, type, value.</summary>
    private const int PairBytesMin = 8 + 1 + 4 + 1;

    /// <summary>Least bytes of a tensor's description: name length, a character, count of dimensions, one, type, offset.</summary>
    private const int TensorBytesMin = 8 + 1 + 4 + 8 + 4 + 8;

    private readonly FileBytes _file;
    private readonly Dictionary<string, GgufValue> _values = [];
    private readonly List<GgufTensor> _tensors = [];
    private string? _error;

    private GgufHeader(FileBytes file) => _file = file;

    public GgufMetadata Metadata { get; private set; } = null!;
    public IReadOnlyList<GgufTensor> Tensors => _tensors;
    public uint Version { get; private set; }
    public int AlignmentBytes { get; private set; } = GgufLimits.AlignmentDefault;

    public static bool TryParse(FileBytes file, [NotNullWhen(true)] out GgufHeader? header, [NotNullWhen(false)] out string? error)
    {
        var parsed = new GgufHeader(file);
        header = parsed.Parse() ? parsed : null;
        error = header is null ? parsed._error ?? $"{file.Name} ends within its header." : null;
        return header is not null;
    }

    private bool Fail(string what)
    {
        _error ??= $"{_file.Name}: {what}.";
        return false;
    }

    private bool Parse()
    {
        var head = _file.Bytes(0, (int)Math.Min(_file.LengthBytes, GgufLimits.HeaderBytesMax));
        var cursor = new GgufCursor(head);
        if (!cursor.TryUInt32(out var magic)) return Fail("the file is too short to be a GGUF file");
        if (magic == MagicSwapped) return Fail("big-endian GGUF files are not supported");
        if (magic != Magic) return Fail("this is not a GGUF file (it does not begin with GGUF)");
        if (!cursor.TryUInt32(out var version)) return false;
        if ((version & 0xFFFF) == 0 && version != 0) return Fail("big-endian GGUF files are not supported");
        if (version is not (2 or 3)) return Fail($"GGUF version {version} is not supported (2 and 3 are)");
        Version = version;
        if (!cursor.TryUInt64(out var tensors) || !cursor.TryUInt64(out var pairs)) return false;
        if (tensors > GgufLimits.TensorsMax) return Fail($"it claims {tensors} tensors, more than the limit of {GgufLimits.TensorsMax}");
        if (pairs > GgufLimits.MetadataKeysMax) return Fail($"it claims {pairs} metadata keys, more than the limit of {GgufLimits.MetadataKeysMax}");
        if ((long)pairs * PairBytesMin + (long)tensors * TensorBytesMin > cursor.Remaining) return Fail("it claims more keys and tensors than its bytes can hold");

        for (var i = 0; i < (int)pairs; i++) if (!Pair(ref cursor)) return false;
        Metadata = new GgufMetadata(_file, cursor.Position, _values);
        if (!Alignment()) return false;
        _tensors.EnsureCapacity((int)tensors);
        var names = new HashSet<string>((int)tensors);
        for (var i = 0; i < (int)tensors; i++) if (!Tensor(ref cursor, names)) return false;
        return Place(cursor.Position);
    }

    private bool Pair(ref GgufCursor cursor)
    {
        if (!cursor.TryString(GgufLimits.KeyBytesMax, out var name)) return Fail($"metadata key {_values.Count} is longer than the file or the limit of {GgufLimits.KeyBytesMax} bytes");
        if (name.IsEmpty || !ModelText.TryToString(name, out var key)) return Fail($"metadata key {_values.Count} is empty or not UTF-8");
        if (!cursor.TryUInt32(out var type)) return false;
        if (!Value(ref cursor, name, type, out var value)) return Fail($"the value of metadata key {ModelText.Quote(name)} ends beyond the file");
        return _values.TryAdd(key, value) || Fail($"metadata key {ModelText.Quote(name)} stands twice");
    }

    private bool Value(ref GgufCursor cursor, ReadOnlySpan<byte> name, uint type, out GgufValue value)
    {
        value = default;
        if (type > (uint)GgufValueType.Float64) return Fail($"metadata key {ModelText.Quote(name)} has the unknown type {type}");
        var kind = (GgufValueType)type;
        if (kind == GgufValueType.Array) return Array(ref cursor, name, out value);
        if (kind == GgufValueType.String)
        {
            if (!cursor.TryString(GgufLimits.StringBytesMax, out var text)) return Fail($"the string of metadata key {ModelText.Quote(name)} is longer than the file or the limit of {GgufLimits.StringBytesMax} bytes");
            value = new GgufValue(kind, kind, cursor.Position - text.Length, text.Length, null);
            return true;
        }
        value = new GgufValue(kind, kind, cursor.Position, 1, null);
        return cursor.TrySkip(SizeOf(kind));
    }

    private bool Array(ref GgufCursor cursor, ReadOnlySpan<byte> name, out GgufValue value)
    {
        value = default;
        if (!ArrayHead(ref cursor, name, out var item, out var count)) return false;
        var start = cursor.Position;
        int[]? strings = null;
        if (item == GgufValueType.String)
        {
            // ArrayHead saw that the file has 8 bytes for each of them: this is at most half the file's size.
            strings = new int[count];
            for (var i = 0; i < count; i++)
            {
                if (!cursor.TryString(GgufLimits.StringBytesMax, out var text)) return Fail($"string {i} of metadata key {ModelText.Quote(name)} is longer than the file or the limit of {GgufLimits.StringBytesMax} bytes");
                strings[i] = cursor.Position - text.Length;
            }
        }
        else if (!SkipItems(ref cursor, name, item, count, 1))
        {
            return false;
        }
        value = new GgufValue(GgufValueType.Array, item, start, count, strings);
        return true;
    }

    private bool ArrayHead(ref GgufCursor cursor, ReadOnlySpan<byte> name, out GgufValueType item, out int count)
    {
        item = default;
        count = 0;
        if (!cursor.TryUInt32(out var type) || !cursor.TryUInt64(out var items)) return false;
        if (type > (uint)GgufValueType.Float64) return Fail($"metadata key {ModelText.Quote(name)} is an array of the unknown type {type}");
        if (items > GgufLimits.ArrayItemsMax) return Fail($"metadata key {ModelText.Quote(name)} claims {items} items, more than the limit of {GgufLimits.ArrayItemsMax}");
        item = (GgufValueType)type;
        count = (int)items;
        return (long)count * SizeOf(item) <= cursor.Remaining || Fail($"metadata key {ModelText.Quote(name)} claims {items} items, more than the file holds");
    }

    private bool SkipItems(ref GgufCursor cursor, ReadOnlySpan<byte> name, GgufValueType item, int count, int depth)
    {
        if (item is not (GgufValueType.Array or GgufValueType.String)) return cursor.TrySkip((long)count * SizeOf(item));
        if (item == GgufValueType.Array && depth >= GgufLimits.ArrayNestingMax) return Fail($"metadata key {ModelText.Quote(name)} nests arrays deeper than {GgufLimits.ArrayNestingMax}");
        for (var i = 0; i < count; i++)
        {
            if (item == GgufValueType.String ? !cursor.TryString(GgufLimits.StringBytesMax, out _)
                : !ArrayHead(ref cursor, name, out var inner, out var innerCount) || !SkipItems(ref cursor, name, inner, innerCount, depth + 1)) return false;
        }
        return true;
    }

    /// <summary>Bytes of a value; of a string or array the least.</summary>
    private static int SizeOf(GgufValueType type) => type switch
    {
        GgufValueType.UInt8 or GgufValueType.Int8 or GgufValueType.Bool => 1,
        GgufValueType.UInt16 or GgufValueType.Int16 => 2,
        GgufValueType.UInt32 or GgufValueType.Int32 or GgufValueType.Float32 => 4,
        GgufValueType.Array => 12,
        _ => 8,
    };

    private bool Alignment()
    {
        const string Key = "general.alignment";
        if (!Metadata.Contains(Key)) return true;
        if (!Metadata.TryGetInt64(Key, out var alignment) || alignment is < 8 or > GgufLimits.AlignmentMax || !long.IsPow2(alignment))
            return Fail($"{Key} is not a power of two from 8 to {GgufLimits.AlignmentMax}");
        AlignmentBytes = (int)alignment;
        return true;
    }

    private bool Tensor(ref GgufCursor cursor, HashSet<string> names)
    {
        if (!cursor.TryString(GgufLimits.TensorNameBytesMax, out var text)) return Fail($"the name of tensor {_tensors.Count} is longer than the file or the limit of {GgufLimits.TensorNameBytesMax} bytes");
        if (text.IsEmpty || !ModelText.TryToString(text, out var name)) return Fail($"the name of tensor {_tensors.Count} is empty or not UTF-8");
        if (!names.Add(name)) return Fail($"tensor {ModelText.Quote(text)} stands twice");
        if (!cursor.TryUInt32(out var nDims)) return false;
        if (nDims is < 1 or > GgufLimits.TensorDimsMax) return Fail($"tensor {ModelText.Quote(text)} has {nDims} dimensions (1 to {GgufLimits.TensorDimsMax} are possible)");
        var dims = new int[nDims];
        for (var d = 0; d < dims.Length; d++)
        {
            if (!cursor.TryUInt64(out var size)) return false;
            if (size is < 1 or > int.MaxValue) return Fail($"tensor {ModelText.Quote(text)} has the impossible dimension {size}");
            dims[d] = (int)size;
        }
        if (!cursor.TryUInt32(out var type) || !cursor.TryUInt64(out var offset)) return false;
        if (type > int.MaxValue || !WeightTypes.IsSupported((int)type)) return Fail($"tensor {ModelText.Quote(text)} has the type {GgufTypeNames.Of(type)}, which is not supported");
        var weightType = (WeightType)type;
        if (dims[0] % WeightTypes.BlockSize(weightType) != 0) return Fail($"tensor {ModelText.Quote(text)} has rows of {dims[0]} values, which is not a multiple of {weightType}'s block of {WeightTypes.BlockSize(weightType)}");
        if (!TryTensorBytes(weightType, dims, out var bytes) || bytes > _file.LengthBytes) return Fail($"tensor {ModelText.Quote(text)} is larger than the file");
        if (offset > (ulong)_file.LengthBytes) return Fail($"tensor {ModelText.Quote(text)} lies beyond the end of the file");
        if (offset % (ulong)AlignmentBytes != 0) return Fail($"tensor {ModelText.Quote(text)} is not aligned to {AlignmentBytes} bytes");
        _tensors.Add(new GgufTensor(name, weightType, dims, (long)offset, bytes));
        return true;
    }

    private static bool TryTensorBytes(WeightType type, int[] dims, out long bytes)
    {
        // A row has at most 2^31 values of 4 bytes; each further size is multiplied only while the product stays below 2^62.
        bytes = WeightTypes.RowBytes(type, dims[0]);
        for (var d = 1; d < dims.Length; d++)
        {
            if (bytes > (1L << 62) / dims[d]) return false;
            bytes *= dims[d];
        }
        // [cols, rows, experts, 1]: the products of the outer sizes are ints.
        return dims.Length < 4 || (long)dims[2] * dims[3] <= int.MaxValue;
    }

    /// <summary>Offsets become absolute; tensors must lie within the file and apart from each other.</summary>
    private bool Place(int headerBytes)
    {
        var dataStart = (headerBytes + (long)AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;
        for (var i = 0; i < _tensors.Count; i++)
        {
            var t = _tensors[i];
            if (dataStart + t.Offset > _file.LengthBytes - t.Bytes) return Fail($"tensor {ModelText.Quote(t.Name)} ends beyond the end of the file: the file is truncated");
            _tensors[i] = (t with { Offset = dataStart + t.Offset }).At(_file);
        }
        var order = _tensors.OrderBy(t => t.Offset).ToArray();
        for (var i = 1; i < order.Length; i++)
        {
            if (order[i - 1].Offset + order[i - 1].Bytes > order[i].Offset) return Fail($"tensors {ModelText.Quote(order[i - 1].Name)} and {ModelText.Quote(order[i].Name)} overlap");
        }
        return true;
    }
}
