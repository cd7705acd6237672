using System.Numerics;

namespace AiFabrik.Ptx;

// Scalar operations on bits (PTX ISA, "Logic and Shift Instructions" and the bit-field instructions), one struct each.

internal readonly struct And : IBinary
{
    public static ulong Apply(ulong a, ulong b) => a & b;
}

internal readonly struct Or : IBinary
{
    public static ulong Apply(ulong a, ulong b) => a | b;
}

internal readonly struct Xor : IBinary
{
    public static ulong Apply(ulong a, ulong b) => a ^ b;
}

internal readonly struct NotPredicate : IUnary
{
    public static ulong Apply(ulong a) => a ^ 1;
}

internal readonly struct Not<T> : IUnary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a) => Lanes.Put(~Lanes.Get<T>(a));
}

internal readonly struct And<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => Lanes.Put(Lanes.Get<T>(a & b));
}

internal readonly struct Or<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => Lanes.Put(Lanes.Get<T>(a | b));
}

internal readonly struct Xor<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => Lanes.Put(Lanes.Get<T>(a ^ b));
}

internal readonly struct Cnot<T> : IUnary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a) => T.IsZero(Lanes.Get<T>(a)) ? 1UL : 0;
}

/// <summary>Shifts by more than the width give 0, or the sign.</summary>
internal readonly struct Shl<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => (uint)b >= Bits.Width<T>() ? 0 : Lanes.Put(Lanes.Get<T>(a) << (int)b);
}

internal readonly struct Shr<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b)
    {
        uint most = Bits.Width<T>();
        return (uint)b < most ? Lanes.Put(Lanes.Get<T>(a) >> (int)b)
            : T.IsNegative(Lanes.Get<T>(a)) ? Lanes.Put(T.AllBitsSet) : 0;
    }
}

internal readonly struct FunnelLeftWrap : ITernary
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)(Bits.Join(a, b) << (int)(c & 31) >> 32);
}

internal readonly struct FunnelLeftClamp : ITernary
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)(Bits.Join(a, b) << (int)Math.Min((uint)c, 32) >> 32);
}

internal readonly struct FunnelRightWrap : ITernary
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)(Bits.Join(a, b) >> (int)(c & 31));
}

internal readonly struct FunnelRightClamp : ITernary
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)(Bits.Join(a, b) >> (int)Math.Min((uint)c, 32));
}

internal readonly struct Bfe<T> : ITernary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        int width = (int)Bits.Width<T>();
        int position = (byte)b, length = (byte)c;
        bool signed = typeof(T) == typeof(int) || typeof(T) == typeof(long);
        ulong value = Lanes.Put(Lanes.Get<T>(a));
        if (length == 0)
        {
            return 0;
        }
        ulong sign = signed ? value >> Math.Min(position + length - 1, width - 1) & 1 : 0;
        ulong taken = position >= width ? 0 : value >> position;
        int have = Math.Min(length, Math.Max(width - position, 0));
        ulong low = have >= 64 ? ulong.MaxValue : (1UL << have) - 1;
        ulong result = (taken & low) | (sign != 0 ? ~low : 0);
        return Lanes.Put(Lanes.Get<T>(result));
    }
}

internal static class Bits
{
    public static uint Width<T>() where T : unmanaged => (uint)System.Runtime.CompilerServices.Unsafe.SizeOf<T>() * 8;

    public static ulong Join(ulong low, ulong high) => high << 32 | (uint)low;

    /// <summary><c>bfi</c>: the low bits of <paramref name="a"/> put into <paramref name="b"/>.</summary>
    public static ulong Insert(ulong a, ulong b, ulong c, ulong d, int width)
    {
        int position = (byte)c, length = (byte)d;
        if (position >= width || length == 0)
        {
            return b;
        }
        ulong field = length >= 64 ? ulong.MaxValue : (1UL << length) - 1;
        ulong mask = field << position;
        ulong result = (b & ~mask) | ((a << position) & mask);
        return width == 32 ? (uint)result : result;
    }

    /// <summary>The three-input function with truth table <paramref name="table"/>.</summary>
    public static uint Lop3(uint a, uint b, uint c, int table)
    {
        uint result = 0;
        for (int row = 0; row < 8; row++)
        {
            if ((table >> row & 1) != 0)
            {
                result |= ((row & 4) != 0 ? a : ~a) & ((row & 2) != 0 ? b : ~b) & ((row & 1) != 0 ? c : ~c);
            }
        }
        return result;
    }

    /// <summary>The general form of <c>prmt</c>: four selectors of four bits.</summary>
    public static uint Permute(uint a, uint b, uint selectors)
    {
        ulong bytes = Join(a, b);
        uint result = 0;
        for (int i = 0; i < 4; i++)
        {
            uint selector = selectors >> (4 * i);
            uint value = (uint)(bytes >> (int)(selector & 7) * 8) & 0xFF;
            if ((selector & 8) != 0)
            {
                value = (value & 0x80) != 0 ? 0xFFu : 0;
            }
            result |= value << (8 * i);
        }
        return result;
    }

    /// <summary>The selectors that a mode of <c>prmt</c> stands for (PTX ISA, "prmt", tables of modes).</summary>
    public static uint Selectors(string mode, uint c) => (mode, c & 3) switch
    {
        ("f4e", 0) => 0x3210, ("f4e", 1) => 0x4321, ("f4e", 2) => 0x5432, ("f4e", 3) => 0x6543,
        ("b4e", 0) => 0x5670, ("b4e", 1) => 0x6701, ("b4e", 2) => 0x7012, ("b4e", 3) => 0x0123,
        ("rc8", 0) => 0x0000, ("rc8", 1) => 0x1111, ("rc8", 2) => 0x2222, ("rc8", 3) => 0x3333,
        ("ecl", 0) => 0x3210, ("ecl", 1) => 0x3211, ("ecl", 2) => 0x3222, ("ecl", 3) => 0x3333,
        ("ecr", 0) => 0x0000, ("ecr", 1) => 0x1110, ("ecr", 2) => 0x2210, ("ecr", 3) => 0x3210,
        ("rc16", 0 or 2) => 0x1010, ("rc16", _) => 0x3232,
        _ => c,
    };
}

internal readonly struct BitReverse32 : IUnary
{
    public static ulong Apply(ulong a) => BitReverse64.Apply(a) >> 32;
}

internal readonly struct BitReverse64 : IUnary
{
    public static ulong Apply(ulong a)
    {
        a = (a >> 1 & 0x5555_5555_5555_5555) | (a & 0x5555_5555_5555_5555) << 1;
        a = (a >> 2 & 0x3333_3333_3333_3333) | (a & 0x3333_3333_3333_3333) << 2;
        a = (a >> 4 & 0x0F0F_0F0F_0F0F_0F0F) | (a & 0x0F0F_0F0F_0F0F_0F0F) << 4;
        return System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(a);
    }
}

internal readonly struct Clz<T> : IUnary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a) => ulong.CreateTruncating(T.LeadingZeroCount(Lanes.Get<T>(a)));
}

internal readonly struct Popc<T> : IUnary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a) => ulong.CreateTruncating(T.PopCount(Lanes.Get<T>(a)));
}

/// <summary>The position of the highest bit that is not the sign; all ones where there is none.</summary>
internal readonly struct Bfind<T> : IUnary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a)
    {
        T value = Lanes.Get<T>(a);
        T bits = T.IsNegative(value) ? ~value : value;
        return T.IsZero(bits) ? uint.MaxValue : Bits.Width<T>() - 1 - uint.CreateTruncating(T.LeadingZeroCount(bits));
    }
}

internal readonly struct BfindShift<T> : IUnary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a)
    {
        ulong position = Bfind<T>.Apply(a);
        return position == uint.MaxValue ? uint.MaxValue : Bits.Width<T>() - 1 - position;
    }
}

/// <summary>Sums of products of bytes (and of halves with bytes); the names say the signedness of both operands.</summary>
internal static class DotProducts
{
    public static uint Dp4a(uint a, uint b, uint c, bool signedA, bool signedB)
    {
        int sum = (int)c;
        for (int i = 0; i < 32; i += 8)
        {
            sum = unchecked(sum + Byte(a >> i, signedA) * Byte(b >> i, signedB));
        }
        return (uint)sum;
    }

    public static uint Dp2a(uint a, uint b, uint c, bool signedA, bool signedB, bool high)
    {
        uint bytes = high ? b >> 16 : b;
        int low = signedA ? (short)a : (ushort)a;
        int up = signedA ? (short)(a >> 16) : (ushort)(a >> 16);
        return (uint)unchecked((int)c + low * Byte(bytes, signedB) + up * Byte(bytes >> 8, signedB));
    }

    private static int Byte(uint value, bool signed) => signed ? (sbyte)value : (byte)value;
}
