using System.Buffers.Binary;
using System.Text.Json;

namespace AiFabrik.Engine.Models.Safetensors;

/// <summary>
/// Parses a safetensors header: 8 bytes of length, then JSON {"name": {"dtype", "shape", "data_offsets": [begin, end]}, …, "__metadata__": {…}}.
/// As the format demands: no name twice, sizes agree with type and shape, and the tensors cover the rest of the file without overlap or hole.
/// </summary>
internal sealed class SafetensorsHeader
{
    private readonly FileBytes _file;
    private readonly List<SafetensorsTensor> _tensors = [];
    private readonly HashSet<string> _names = [];
    private long _dataStart;

    private SafetensorsHeader(FileBytes file) => _file = file;

    /// <summary>The file's tensors. The error is one sentence.</summary>
    public static bool TryParse(FileBytes file, out IReadOnlyList<SafetensorsTensor> tensors, out string? error)
    {
        var header = new SafetensorsHeader(file);
        try
        {
            header.Parse();
            error = null;
        }
        catch (ModelFormatException e)
        {
            error = e.Message;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or FormatException)
        {
            // Utf8JsonReader: malformed JSON, or a value of another kind than was asked for.
            error = $"{file.Name}: the header is not the JSON of a safetensors file.";
        }
        tensors = error is null ? header._tensors : [];
        return error is null;
    }

    private ModelFormatException Wrong(string what) => new($"{_file.Name}: {what}.");

    private void Parse()
    {
        const int LengthBytes = sizeof(ulong);
        if (_file.LengthBytes < LengthBytes) throw Wrong("the file is too short to be a safetensors file");
        var length = BinaryPrimitives.ReadUInt64LittleEndian(_file.Bytes(0, LengthBytes));
        if (length > SafetensorsLimits.HeaderBytesMax) throw Wrong($"its header claims {length} bytes, more than the limit of {SafetensorsLimits.HeaderBytesMax}");
        if ((long)length > _file.LengthBytes - LengthBytes) throw Wrong($"its header claims {length} bytes, more than the file has");
        _dataStart = LengthBytes + (long)length;
        var json = new Utf8JsonReader(_file.Bytes(LengthBytes, (int)length), new JsonReaderOptions { MaxDepth = SafetensorsLimits.HeaderDepthMax });
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject) throw Wrong("its header is not a JSON object");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            if (json.ValueTextEquals("__metadata__"u8)) { json.Read(); json.Skip(); continue; }
            if (json.ValueSpan.Length > SafetensorsLimits.NameBytesMax) throw Wrong($"a tensor's name is longer than {SafetensorsLimits.NameBytesMax} bytes");
            var name = json.GetString()!;
            if (!_names.Add(name)) throw Wrong($"tensor {ModelText.Quote(name)} stands twice");
            if (_tensors.Count == SafetensorsLimits.TensorsMax) throw Wrong($"it has more than {SafetensorsLimits.TensorsMax} tensors");
            _tensors.Add(Tensor(ref json, name));
        }
        if (json.Read()) throw Wrong("something follows the header's JSON object");
        CheckCoverage();
    }

    private SafetensorsTensor Tensor(ref Utf8JsonReader json, string name)
    {
        string? dtype = null;
        int[]? shape = null;
        (long Begin, long End)? offsets = null;
        if (!json.Read() || json.TokenType != JsonTokenType.StartObject) throw Wrong($"tensor {ModelText.Quote(name)} is not described by an object");
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var twice = json.ValueTextEquals("dtype"u8) ? dtype is not null : json.ValueTextEquals("shape"u8) ? shape is not null : json.ValueTextEquals("data_offsets"u8) && offsets is not null;
            if (twice) throw Wrong($"tensor {ModelText.Quote(name)} has a field twice");
            if (json.ValueTextEquals("dtype"u8)) { json.Read(); dtype = json.GetString(); }
            else if (json.ValueTextEquals("shape"u8)) { json.Read(); shape = Shape(ref json, name); }
            else if (json.ValueTextEquals("data_offsets"u8)) { json.Read(); offsets = Offsets(ref json, name); }
            else { json.Read(); json.Skip(); }
        }
        if (dtype is null || shape is null || offsets is null) throw Wrong($"tensor {ModelText.Quote(name)} lacks its dtype, shape or data_offsets");
        var bits = BitsOf(dtype);
        if (bits == 0) throw Wrong($"tensor {ModelText.Quote(name)} has the unknown dtype {ModelText.Quote(dtype)}");
        var (begin, end) = offsets.Value;
        if (begin < 0 || end < begin || end > _file.LengthBytes - _dataStart) throw Wrong($"tensor {ModelText.Quote(name)} lies beyond the end of the file: the file is truncated or its header lies");
        if (!TryBits(shape, bits, out var total) || total % 8 != 0 || total / 8 != end - begin) throw Wrong($"tensor {ModelText.Quote(name)} has {end - begin} bytes, which its shape and dtype {dtype} do not give");
        return new SafetensorsTensor(name, dtype, shape, _dataStart + begin, end - begin) { File = _file };
    }

    private static bool TryBits(int[] shape, int bits, out long total)
    {
        total = bits;
        if (shape.Contains(0)) { total = 0; return true; }
        foreach (var size in shape)
        {
            if (total > (1L << 62) / size) return false;
            total *= size;
        }
        return true;
    }

    private int[] Shape(ref Utf8JsonReader json, string name)
    {
        Span<int> sizes = stackalloc int[SafetensorsLimits.DimsMax];
        var n = 0;
        if (json.TokenType != JsonTokenType.StartArray) throw Wrong($"the shape of tensor {ModelText.Quote(name)} is not an array");
        while (json.Read() && json.TokenType != JsonTokenType.EndArray)
        {
            if (n == sizes.Length) throw Wrong($"tensor {ModelText.Quote(name)} has more than {SafetensorsLimits.DimsMax} dimensions");
            if (json.TokenType != JsonTokenType.Number || !json.TryGetInt32(out sizes[n]) || sizes[n] < 0) throw Wrong($"tensor {ModelText.Quote(name)} has an impossible dimension");
            n++;
        }
        return sizes[..n].ToArray();
    }

    private (long Begin, long End) Offsets(ref Utf8JsonReader json, string name)
    {
        if (json.TokenType == JsonTokenType.StartArray && json.Read() && json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var begin)
            && json.Read() && json.TokenType == JsonTokenType.Number && json.TryGetInt64(out var end) && json.Read() && json.TokenType == JsonTokenType.EndArray) return (begin, end);
        throw Wrong($"the data_offsets of tensor {ModelText.Quote(name)} are not two numbers");
    }

    private void CheckCoverage()
    {
        var at = _dataStart;
        foreach (var t in _tensors.OrderBy(t => t.Offset).ThenBy(t => t.Bytes))
        {
            if (t.Offset < at) throw Wrong($"tensor {ModelText.Quote(t.Name)} overlaps another one");
            if (t.Offset > at) throw Wrong($"there is a hole before tensor {ModelText.Quote(t.Name)}");
            at += t.Bytes;
        }
        if (at != _file.LengthBytes) throw Wrong("the file goes on after its last tensor");
    }

    private static int BitsOf(string dtype) => dtype switch
    {
        "F4" => 4,
        "F6_E2M3" or "F6_E3M2" => 6,
        "BOOL" or "U8" or "I8" or "F8_E5M2" or "F8_E4M3" or "F8_E8M0" or "F8_E4M3FNUZ" or "F8_E5M2FNUZ" => 8,
        "I16" or "U16" or "F16" or "BF16" => 16,
        "I32" or "U32" or "F32" => 32,
        "I64" or "U64" or "F64" or "C64" => 64,
        _ => 0,
    };
}
