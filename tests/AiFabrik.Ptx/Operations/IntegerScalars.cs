using System.Numerics;

namespace AiFabrik.Ptx;

// Scalar integer operations (PTX ISA, "Integer Arithmetic Instructions"), one struct each, generic over the width and signedness.

internal readonly struct Add<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => Lanes.Put(unchecked(Lanes.Get<T>(a) + Lanes.Get<T>(b)));
}

internal readonly struct Sub<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => Lanes.Put(unchecked(Lanes.Get<T>(a) - Lanes.Get<T>(b)));
}

internal readonly struct AddSaturated : IBinary
{
    public static ulong Apply(ulong a, ulong b) => (uint)(int)Math.Clamp((long)(int)a + (int)b, int.MinValue, int.MaxValue);
}

internal readonly struct SubSaturated : IBinary
{
    public static ulong Apply(ulong a, ulong b) => (uint)(int)Math.Clamp((long)(int)a - (int)b, int.MinValue, int.MaxValue);
}

internal readonly struct MulLo<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => Lanes.Put(unchecked(Lanes.Get<T>(a) * Lanes.Get<T>(b)));
}

internal readonly struct MulHi<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => Integers.MultiplyHigh<T>(a, b);
}

internal readonly struct MulWide<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => Integers.MultiplyWide<T>(a, b);
}

internal readonly struct MadLo<T> : ITernary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b, ulong c) => Lanes.Put(unchecked(Lanes.Get<T>(a) * Lanes.Get<T>(b) + Lanes.Get<T>(c)));
}

internal readonly struct MadHi<T> : ITernary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b, ulong c) =>
        Lanes.Put(unchecked(Lanes.Get<T>(Integers.MultiplyHigh<T>(a, b)) + Lanes.Get<T>(c)));
}

internal readonly struct MadHiSaturated : ITernary
{
    public static ulong Apply(ulong a, ulong b, ulong c) => AddSaturated.Apply(Integers.MultiplyHigh<int>(a, b), c);
}

internal readonly struct MadWide<T> : ITernary where T : unmanaged, IBinaryInteger<T>
{
    // The sum has twice the width of T.
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        ulong sum = unchecked(Integers.MultiplyWide<T>(a, b) + c);
        return typeof(T) == typeof(short) || typeof(T) == typeof(ushort) ? (uint)sum : sum;
    }
}

internal readonly struct Mul24Lo<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => (uint)Integers.Multiply24<T>(a, b);
}

internal readonly struct Mul24Hi<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => (uint)(Integers.Multiply24<T>(a, b) >> 16);
}

internal readonly struct Mad24Lo<T> : ITernary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b, ulong c) => (uint)(Integers.Multiply24<T>(a, b) + (long)(uint)c);
}

internal readonly struct Div<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b)
    {
        T divisor = Lanes.Get<T>(b);
        // Division by zero is machine-specific; NVIDIA's machines give all ones. The least integer by -1 gives itself.
        return T.IsZero(divisor) ? Lanes.Put(T.AllBitsSet)
            : divisor == T.AllBitsSet && T.Sign(divisor) < 0 ? Lanes.Put(unchecked(T.Zero - Lanes.Get<T>(a)))
            : Lanes.Put(Lanes.Get<T>(a) / divisor);
    }
}

internal readonly struct Rem<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b)
    {
        T divisor = Lanes.Get<T>(b);
        return T.IsZero(divisor) ? Lanes.Put(Lanes.Get<T>(a))
            : divisor == T.AllBitsSet && T.Sign(divisor) < 0 ? 0
            : Lanes.Put(Lanes.Get<T>(a) % divisor);
    }
}

internal readonly struct Abs<T> : IUnary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a) => T.IsNegative(Lanes.Get<T>(a)) ? Lanes.Put(unchecked(T.Zero - Lanes.Get<T>(a))) : Lanes.Put(Lanes.Get<T>(a));
}

internal readonly struct Neg<T> : IUnary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a) => Lanes.Put(unchecked(T.Zero - Lanes.Get<T>(a)));
}

internal readonly struct Min<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => Lanes.Put(T.Min(Lanes.Get<T>(a), Lanes.Get<T>(b)));
}

internal readonly struct Max<T> : IBinary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b) => Lanes.Put(T.Max(Lanes.Get<T>(a), Lanes.Get<T>(b)));
}

internal readonly struct Sad<T> : ITernary where T : unmanaged, IBinaryInteger<T>
{
    public static ulong Apply(ulong a, ulong b, ulong c)
    {
        (T x, T y) = (Lanes.Get<T>(a), Lanes.Get<T>(b));
        return Lanes.Put(unchecked(Lanes.Get<T>(c) + (x < y ? y - x : x - y)));
    }
}

internal static class Integers
{
    public static ulong MultiplyHigh<T>(ulong a, ulong b) where T : unmanaged, IBinaryInteger<T>
    {
        if (typeof(T) == typeof(long))
        {
            return (ulong)Math.BigMul((long)a, (long)b, out _);
        }
        if (typeof(T) == typeof(ulong))
        {
            return Math.BigMul(a, b, out _);
        }
        int width = typeof(T) == typeof(int) || typeof(T) == typeof(uint) ? 32 : 16;
        ulong wide = MultiplyWide<T>(a, b);
        return Lanes.Put(Lanes.Get<T>(wide >> width));
    }

    public static ulong MultiplyWide<T>(ulong a, ulong b) where T : unmanaged, IBinaryInteger<T>
    {
        if (typeof(T) == typeof(short))
        {
            return (uint)((short)a * (short)b);
        }
        if (typeof(T) == typeof(ushort))
        {
            return (uint)(ushort)a * (ushort)b;
        }
        return typeof(T) == typeof(int) ? (ulong)((long)(int)a * (int)b) : (ulong)(uint)a * (uint)b;
    }

    public static long Multiply24<T>(ulong a, ulong b) where T : unmanaged, IBinaryInteger<T> => typeof(T) == typeof(int)
        ? (long)((int)a << 8 >> 8) * ((int)b << 8 >> 8)
        : (long)(a & 0xFF_FFFF) * (long)(b & 0xFF_FFFF);
}
