using System.Text;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Gguf;

namespace AiFabrik.Engine.Tests.Models.Gguf;

/// <summary>Writes GGUF files byte by byte, lies included.</summary>
internal sealed class GgufBytes
{
    private readonly MemoryStream _stream = new();
    private readonly BinaryWriter _writer;

    public GgufBytes(ulong tensors = 0, ulong pairs = 0, uint version = 3)
    {
        _writer = new BinaryWriter(_stream);
        _writer.Write("GGUF"u8);
        _writer.Write(version);
        _writer.Write(tensors);
        _writer.Write(pairs);
    }

    public GgufBytes U32(uint value) { _writer.Write(value); return this; }

    public GgufBytes U64(ulong value) { _writer.Write(value); return this; }

    public GgufBytes Text(string text) { _writer.Write((ulong)Encoding.UTF8.GetByteCount(text)); _writer.Write(Encoding.UTF8.GetBytes(text)); return this; }

    public GgufBytes Pair(string key, uint value) => Text(key).U32((uint)GgufValueType.UInt32).U32(value);

    public GgufBytes Tensor(string name, uint type, ulong offset, params ulong[] dims)
    {
        Text(name).U32((uint)dims.Length);
        foreach (var d in dims) U64(d);
        return U32(type).U64(offset);
    }

    /// <summary>Pads to the alignment and adds zeros as tensor data.</summary>
    public GgufBytes Data(int count, int alignment = 32)
    {
        while (_stream.Position % alignment != 0) _writer.Write((byte)0);
        _writer.Write(new byte[count]);
        return this;
    }

    public byte[] ToArray() => _stream.ToArray();

    /// <summary>Opens the bytes; null error if that succeeds.</summary>
    public static string? ErrorOf(byte[] bytes)
    {
        if (!GgufFile.TryOpen(FileBytes.Of("m.gguf", bytes), out var file, out var error)) return error;
        file.Dispose();
        return null;
    }
}
