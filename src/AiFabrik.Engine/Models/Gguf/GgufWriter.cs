using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.Gguf;

/// <summary>
/// Writes a GGUF file (version 3): first keys and the list of tensors are added, then the header is written, then the tensors' bytes in the same order.
/// </summary>
internal sealed class GgufWriter
{
    private const int AlignmentBytes = GgufLimits.AlignmentDefault;
    private readonly ArrayBufferWriter<byte> _pairs = new();
    private readonly ArrayBufferWriter<byte> _tensors = new();
    private readonly List<long> _tensorBytes = [];
    private ulong _pairCount;
    private long _offset;
    private int _next;
    private long _left;

    /// <summary>Bytes of all tensors with their padding.</summary>
    public long DataBytes => _offset;

    public void Add(string key, ReadOnlySpan<byte> text)
    {
        Key(key, GgufValueType.String);
        Text(_pairs, text);
    }

    public void Add(string key, string text) => Add(key, Encoding.UTF8.GetBytes(text));

    public void Add(string key, uint value)
    {
        Key(key, GgufValueType.UInt32);
        UInt32(_pairs, value);
    }

    public void Add(string key, float value)
    {
        Key(key, GgufValueType.Float32);
        UInt32(_pairs, BitConverter.SingleToUInt32Bits(value));
    }

    public void Add(string key, bool value)
    {
        Key(key, GgufValueType.Bool);
        _pairs.Write([value ? (byte)1 : (byte)0]);
    }

    public void Add(string key, IReadOnlyCollection<byte[]> texts)
    {
        ArrayHead(key, GgufValueType.String, texts.Count);
        foreach (var text in texts) Text(_pairs, text);
    }

    public void Add(string key, ReadOnlySpan<int> values)
    {
        ArrayHead(key, GgufValueType.Int32, values.Length);
        foreach (var value in values) UInt32(_pairs, (uint)value);
    }

    /// <summary>Announces a tensor [experts][rows][cols]; a vector has one row.</summary>
    public void AddTensor(string name, WeightType type, int cols, int rows = 1, int experts = 1)
    {
        Text(_tensors, Encoding.UTF8.GetBytes(name));
        ReadOnlySpan<int> dims = experts > 1 ? [cols, rows, experts] : rows > 1 ? [cols, rows] : [cols];
        UInt32(_tensors, (uint)dims.Length);
        foreach (var size in dims) UInt64(_tensors, (ulong)size);
        UInt32(_tensors, (uint)type);
        UInt64(_tensors, (ulong)_offset);
        var bytes = WeightTypes.RowBytes(type, cols) * rows * experts;
        _tensorBytes.Add(bytes);
        _offset += Padded(bytes);
    }

    /// <summary>Writes everything before the tensors' bytes.</summary>
    public void WriteHeader(Stream output)
    {
        const int FixedBytes = 24;
        Span<byte> head = stackalloc byte[FixedBytes];
        "GGUF"u8.CopyTo(head);
        BinaryPrimitives.WriteUInt32LittleEndian(head[4..], 3);
        BinaryPrimitives.WriteUInt64LittleEndian(head[8..], (ulong)_tensorBytes.Count);
        BinaryPrimitives.WriteUInt64LittleEndian(head[16..], _pairCount);
        output.Write(head);
        output.Write(_pairs.WrittenSpan);
        output.Write(_tensors.WrittenSpan);
        Pad(output, FixedBytes + _pairs.WrittenCount + (long)_tensors.WrittenCount);
        Begin();
    }

    /// <summary>Writes the next bytes of the tensor whose turn it is; a piece never goes beyond its tensor.</summary>
    public void Write(Stream output, ReadOnlySpan<byte> piece)
    {
        if (piece.Length > _left) throw new InvalidOperationException("More bytes than the announced tensors have.");
        output.Write(piece);
        _left -= piece.Length;
        if (_left > 0) return;
        Pad(output, _tensorBytes[_next]);
        _next++;
        Begin();
    }

    /// <summary>Throws unless all announced tensors have been written.</summary>
    public void Complete()
    {
        if (_next != _tensorBytes.Count) throw new InvalidOperationException("Fewer bytes than the announced tensors have.");
    }

    private void Begin() => _left = _next < _tensorBytes.Count ? _tensorBytes[_next] : 0;

    private void Key(string key, GgufValueType type)
    {
        Text(_pairs, Encoding.UTF8.GetBytes(key));
        UInt32(_pairs, (uint)type);
        _pairCount++;
    }

    private void ArrayHead(string key, GgufValueType item, int count)
    {
        Key(key, GgufValueType.Array);
        UInt32(_pairs, (uint)item);
        UInt64(_pairs, (ulong)count);
    }

    private static long Padded(long bytes) => (bytes + AlignmentBytes - 1) / AlignmentBytes * AlignmentBytes;

    private static void Pad(Stream output, long written)
    {
        Span<byte> zeros = stackalloc byte[AlignmentBytes];
        zeros.Clear();
        output.Write(zeros[..(int)(Padded(written) - written)]);
    }

    private static void Text(ArrayBufferWriter<byte> to, ReadOnlySpan<byte> text)
    {
        UInt64(to, (ulong)text.Length);
        to.Write(text);
    }

    private static void UInt32(ArrayBufferWriter<byte> to, uint value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        to.Write(bytes);
    }

    private static void UInt64(ArrayBufferWriter<byte> to, ulong value)
    {
        Span<byte> bytes = stackalloc byte[sizeof(ulong)];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        to.Write(bytes);
    }
}
