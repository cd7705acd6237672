using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace AiFabrik.Engine.Models.Gguf;

/// <summary>Types of metadata values, numbered as in the file.</summary>
public enum GgufValueType
{
    UInt8 = 0, Int8 = 1, UInt16 = 2, Int16 = 3, UInt32 = 4, Int32 = 5, Float32 = 6, Bool = 7, String = 8, Array = 9, UInt64 = 10, Int64 = 11, Float64 = 12,
}

/// <summary>Where a metadata value lies.</summary>
/// <param name="Type">The value's type.</param>
/// <param name="ItemType">An array's item type; else <see cref="Type"/>.</param>
/// <param name="Offset">First byte of the value (of a string's text, of an array's first item).</param>
/// <param name="Count">Bytes of a string, items of an array, else 1.</param>
/// <param name="Strings">Offsets of the texts of an array of strings.</param>
internal readonly record struct GgufValue(GgufValueType Type, GgufValueType ItemType, int Offset, int Count, int[]? Strings);

/// <summary>An array of strings, in place. Access is O(1) and allocates nothing.</summary>
public readonly ref struct GgufStringArray
{
    private readonly ReadOnlySpan<byte> _head;
    private readonly ReadOnlySpan<int> _offsets;

    internal GgufStringArray(ReadOnlySpan<byte> head, int[] offsets)
    {
        _head = head;
        _offsets = offsets;
    }

    public int Count => _offsets.Length;

    /// <summary>The bytes of string <paramref name="index"/>; they are not checked to be UTF-8.</summary>
    public ReadOnlySpan<byte> this[int index]
    {
        get
        {
            var at = _offsets[index];
            return _head.Slice(at, checked((int)BinaryPrimitives.ReadUInt64LittleEndian(_head.Slice(at - sizeof(ulong)))));
        }
    }
}

/// <summary>
/// The key–value pairs of a GGUF file, read in place: spans stay valid until the <see cref="GgufFile"/> is disposed.
/// A Try method is false when the key is absent or its value is of another kind.
/// </summary>
public sealed class GgufMetadata
{
    private readonly FileBytes _file;
    private readonly int _headBytes;
    private readonly Dictionary<string, GgufValue> _values;

    internal GgufMetadata(FileBytes file, int headBytes, Dictionary<string, GgufValue> values)
    {
        _file = file;
        _headBytes = headBytes;
        _values = values;
    }

    private ReadOnlySpan<byte> Head => _file.Bytes(0, _headBytes);

    /// <summary>All keys, in the file's order.</summary>
    public IReadOnlyCollection<string> Keys => _values.Keys;

    public bool Contains(string key) => _values.ContainsKey(key);

    /// <summary>Type of a value, an array's item type, and an array's items or a string's bytes (1 for others).</summary>
    public bool TryDescribe(string key, out GgufValueType type, out GgufValueType itemType, out int count)
    {
        var found = _values.TryGetValue(key, out var v);
        (type, itemType, count) = (v.Type, v.ItemType, v.Count);
        return found;
    }

    public bool TryGetString(string key, out ReadOnlySpan<byte> value)
    {
        value = default;
        if (!_values.TryGetValue(key, out var v) || v.Type != GgufValueType.String) return false;
        value = Head.Slice(v.Offset, v.Count);
        return true;
    }

    /// <summary>An integer of any width that fits.</summary>
    public bool TryGetInt64(string key, out long value)
    {
        value = 0;
        if (!_values.TryGetValue(key, out var v)) return false;
        var at = Head[v.Offset..];
        switch (v.Type)
        {
            case GgufValueType.UInt8: value = at[0]; return true;
            case GgufValueType.Int8: value = (sbyte)at[0]; return true;
            case GgufValueType.UInt16: value = BinaryPrimitives.ReadUInt16LittleEndian(at); return true;
            case GgufValueType.Int16: value = BinaryPrimitives.ReadInt16LittleEndian(at); return true;
            case GgufValueType.UInt32: value = BinaryPrimitives.ReadUInt32LittleEndian(at); return true;
            case GgufValueType.Int32: value = BinaryPrimitives.ReadInt32LittleEndian(at); return true;
            case GgufValueType.Int64: value = BinaryPrimitives.ReadInt64LittleEndian(at); return true;
            case GgufValueType.UInt64: value = BinaryPrimitives.ReadInt64LittleEndian(at); return value >= 0;
            default: return false;
        }
    }

    /// <inheritdoc cref="TryGetInt64"/>
    public bool TryGetUInt32(string key, out uint value)
    {
        var fits = TryGetInt64(key, out var wide) && wide is >= 0 and <= uint.MaxValue;
        value = fits ? (uint)wide : 0;
        return fits;
    }

    /// <summary>A float32 or float64 (or an integer, as some converters write).</summary>
    public bool TryGetFloat(string key, out float value)
    {
        value = 0;
        if (!_values.TryGetValue(key, out var v)) return false;
        if (v.Type == GgufValueType.Float32) value = BinaryPrimitives.ReadSingleLittleEndian(Head[v.Offset..]);
        else if (v.Type == GgufValueType.Float64) value = (float)BinaryPrimitives.ReadDoubleLittleEndian(Head[v.Offset..]);
        else if (TryGetInt64(key, out var whole)) value = whole;
        else return false;
        return true;
    }

    public bool TryGetBool(string key, out bool value)
    {
        value = false;
        if (!_values.TryGetValue(key, out var v) || v.Type != GgufValueType.Bool) return false;
        value = Head[v.Offset] != 0;
        return true;
    }

    public bool TryGetStrings(string key, out GgufStringArray value)
    {
        value = default;
        if (!_values.TryGetValue(key, out var v) || v.Strings is null) return false;
        value = new GgufStringArray(Head, v.Strings);
        return true;
    }

    /// <summary>An array of 32-bit integers, signed or not.</summary>
    public bool TryGetInt32s(string key, out ReadOnlySpan<int> value) => TryGetItems(key, GgufValueType.Int32, GgufValueType.UInt32, out value);

    /// <summary>An array of float32.</summary>
    public bool TryGetFloats(string key, out ReadOnlySpan<float> value) => TryGetItems(key, GgufValueType.Float32, GgufValueType.Float32, out value);

    /// <summary>An array of bool, a byte each: 0 is false.</summary>
    public bool TryGetBools(string key, out ReadOnlySpan<byte> value) => TryGetItems(key, GgufValueType.Bool, GgufValueType.Bool, out value);

    private bool TryGetItems<T>(string key, GgufValueType type, GgufValueType orType, out ReadOnlySpan<T> value) where T : unmanaged
    {
        value = default;
        if (!_values.TryGetValue(key, out var v) || v.Type != GgufValueType.Array || (v.ItemType != type && v.ItemType != orType)) return false;
        // Items may lie unaligned; every processor we run on (x64, arm64) reads them, and both are little-endian like the file.
        value = MemoryMarshal.Cast<byte, T>(Head[v.Offset..])[..v.Count];
        return true;
    }
}
