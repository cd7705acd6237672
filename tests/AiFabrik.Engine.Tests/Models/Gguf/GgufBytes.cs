using System.Text;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Gguf;

namespace AiFabrik.Engine.Tests.Models.Gguf;

/// <summary>Writes GGUF files byte by byte, lies included.</summary>
internal sealed class GgufBytes
{
    private readonly List<byte> _bytes = [];

    public GgufBytes(ulong tensors = 0, ulong pairs = 0, uint version = 3)
    {
        _bytes.AddRange("GGUF"u8);
        U32(version).U64(tensors).U64(pairs);
    }

    public GgufBytes U32(uint value) { _bytes.AddRange(BitConverter.GetBytes(value)); return this; }

    public GgufBytes U64(ulong value) { _bytes.AddRange(BitConverter.GetBytes(value)); return this; }

    public GgufBytes Text(string text) { U64((ulong)Encoding.UTF8.GetByteCount(text)); _bytes.AddRange(Encoding.UTF8.GetBytes(text)); return this; }

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
        while (_bytes.Count % alignment != 0) _bytes.Add(0);
        _bytes.AddRange(new byte[count]);
        return this;
    }

    public byte[] ToArray() => [.. _bytes];

    /// <summary>Opens the bytes; null error if that succeeds.</summary>
    public static string? ErrorOf(byte[] bytes)
    {
        if (!GgufFile.TryOpen(FileBytes.Of("m.gguf", bytes), out var file, out var error)) return error;
        file.Dispose();
        return null;
    }
}
