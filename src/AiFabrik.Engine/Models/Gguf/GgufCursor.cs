using System.Buffers.Binary;

namespace AiFabrik.Engine.Models.Gguf;

/// <summary>Reads little-endian values one after another; false when the bytes end first.</summary>
internal ref struct GgufCursor(ReadOnlySpan<byte> data)
{
    private readonly ReadOnlySpan<byte> _data = data;

    /// <summary>Where the next value begins.</summary>
    public int Position { get; private set; }

    public readonly int Remaining => _data.Length - Position;

    public bool TryUInt32(out uint value)
    {
        value = 0;
        if (Remaining < sizeof(uint)) return false;
        value = BinaryPrimitives.ReadUInt32LittleEndian(_data[Position..]);
        Position += sizeof(uint);
        return true;
    }

    public bool TryUInt64(out ulong value)
    {
        value = 0;
        if (Remaining < sizeof(ulong)) return false;
        value = BinaryPrimitives.ReadUInt64LittleEndian(_data[Position..]);
        Position += sizeof(ulong);
        return true;
    }

    /// <summary>Skips <paramref name="count"/> bytes.</summary>
    public bool TrySkip(long count)
    {
        if (count < 0 || count > Remaining) return false;
        Position += (int)count;
        return true;
    }

    /// <summary>A length and that many bytes.</summary>
    public bool TryString(int bytesMax, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (!TryUInt64(out var length) || length > (ulong)bytesMax || length > (ulong)Remaining) return false;
        text = _data.Slice(Position, (int)length);
        Position += (int)length;
        return true;
    }
}
