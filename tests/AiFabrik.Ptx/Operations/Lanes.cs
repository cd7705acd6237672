using System.Numerics;
using System.Reflection;
using System.Runtime.CompilerServices;

namespace AiFabrik.Ptx;

internal interface IUnary
{
    static abstract ulong Apply(ulong a);
}

internal interface IBinary
{
    static abstract ulong Apply(ulong a, ulong b);
}

internal interface ITernary
{
    static abstract ulong Apply(ulong a, ulong b, ulong c);
}

/// <summary>Runs scalar functions over the lanes of a mask; the JIT makes one loop per function, without a call.</summary>
internal static class Lanes
{
    /// <summary>The low bytes of a register as a number.</summary>
    public static T Get<T>(ulong register) where T : unmanaged => Unsafe.As<ulong, T>(ref register);

    /// <summary>A number as a register's value, extended by zeros.</summary>
    public static ulong Put<T>(T value) where T : unmanaged
    {
        ulong register = 0;
        Unsafe.As<ulong, T>(ref register) = value;
        return register;
    }

    public static void Unary<T>(Warp warp, Instruction i, uint mask) where T : struct, IUnary
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A);
        if (mask == uint.MaxValue)
        {
            for (int lane = 0; lane < 32; lane++)
            {
                d[lane] = T.Apply(a[lane]);
            }
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            d[lane] = T.Apply(a[lane]);
        }
    }

    public static void Binary<T>(Warp warp, Instruction i, uint mask) where T : struct, IBinary
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B);
        if (mask == uint.MaxValue)
        {
            for (int lane = 0; lane < 32; lane++)
            {
                d[lane] = T.Apply(a[lane], b[lane]);
            }
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            d[lane] = T.Apply(a[lane], b[lane]);
        }
    }

    public static void Ternary<T>(Warp warp, Instruction i, uint mask) where T : struct, ITernary
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B), c = warp.Slot(i.C);
        if (mask == uint.MaxValue)
        {
            for (int lane = 0; lane < 32; lane++)
            {
                d[lane] = T.Apply(a[lane], b[lane], c[lane]);
            }
            return;
        }
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            d[lane] = T.Apply(a[lane], b[lane], c[lane]);
        }
    }

    /// <summary>The loop for a generic operation such as <c>Add&lt;&gt;</c> over the CLR types of a PTX instruction.</summary>
    public static WarpOperation Of(Type operation, params Type[] types)
    {
        Type closed = types.Length == 0 ? operation : operation.MakeGenericType(types);
        string name = typeof(IUnary).IsAssignableFrom(closed) ? nameof(Unary) : typeof(IBinary).IsAssignableFrom(closed) ? nameof(Binary) : nameof(Ternary);
        MethodInfo method = typeof(Lanes).GetMethod(name, BindingFlags.Public | BindingFlags.Static)!;
        return method.MakeGenericMethod(closed).CreateDelegate<WarpOperation>();
    }
}
