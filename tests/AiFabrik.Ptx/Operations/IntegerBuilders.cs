using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>Decodes integer and bit instructions.</summary>
internal static class IntegerBuilders
{
    public static void Register(Dictionary<string, Action<OperationContext>> table)
    {
        table["add"] = c => AddSub(c, typeof(Add<>), typeof(AddSaturated), FloatOperation.Add);
        table["sub"] = c => AddSub(c, typeof(Sub<>), typeof(SubSaturated), FloatOperation.Sub);
        table["addc"] = c => Carry(c, c.Type(), isSub: false, usesCarry: true);
        table["subc"] = c => Carry(c, c.Type(), isSub: true, usesCarry: true);
        table["mul"] = Mul;
        table["mad"] = Mad;
        table["madc"] = c => MadCarry(c, c.TakeAny("lo", "hi"), c.Type(), usesCarry: true);
        table["mul24"] = c => Two(c, c.Take("hi") ? typeof(Mul24Hi<>) : Lo(c, typeof(Mul24Lo<>)));
        table["mad24"] = c => Three(c, Lo(c, typeof(Mad24Lo<>)));
        table["sad"] = c => Three(c, typeof(Sad<>));
        table["div"] = c => Divide(c);
        table["rem"] = c => Two(c, typeof(Rem<>));
        table["abs"] = c => OneOrFloat(c, typeof(Abs<>));
        table["neg"] = c => OneOrFloat(c, typeof(Neg<>));
        table["min"] = c => MinMax(c, typeof(Min<>), max: false);
        table["max"] = c => MinMax(c, typeof(Max<>), max: true);
        table["and"] = c => Logic(c, typeof(And), typeof(And<>));
        table["or"] = c => Logic(c, typeof(Or), typeof(Or<>));
        table["xor"] = c => Logic(c, typeof(Xor), typeof(Xor<>));
        table["not"] = c => Logic(c, typeof(NotPredicate), typeof(Not<>));
        table["cnot"] = c => One(c, typeof(Cnot<>), c.Type());
        table["shl"] = c => Shift(c, typeof(Shl<>));
        table["shr"] = c => Shift(c, typeof(Shr<>));
        table["shf"] = Funnel;
        table["bfe"] = c => Field(c);
        table["bfi"] = Insert;
        table["bfind"] = c => One(c, c.Take("shiftamt") ? typeof(BfindShift<>) : typeof(Bfind<>), c.Type());
        table["brev"] = c => One(c, c.Type() is PtxType.B64 ? typeof(BitReverse64) : typeof(BitReverse32), PtxType.None);
        table["clz"] = c => One(c, typeof(Clz<>), c.Type());
        table["popc"] = c => One(c, typeof(Popc<>), c.Type());
        table["lop3"] = Lop3;
        table["prmt"] = Permute;
        table["dp4a"] = c => Dot(c, isFour: true);
        table["dp2a"] = c => Dot(c, isFour: false);
        table["bmsk"] = Mask;
        table["szext"] = SignExtend;
    }

    private static Type Lo(OperationContext c, Type operation) => c.Take("lo") ? operation : throw c.Refuse("is not known here");

    private static WarpOperation Loop(Type operation, PtxType type) =>
        operation.IsGenericTypeDefinition ? Lanes.Of(operation, type.Clr()) : Lanes.Of(operation);

    private static void Operands(OperationContext c, PtxType type, int sources)
    {
        c.ExpectOperands(sources + 1, sources + 1);
        c.Destination();
        c.I.A = c.Source(1, type);
        c.I.B = sources > 1 ? c.Source(2, type) : -1;
        c.I.C = sources > 2 ? c.Source(3, type) : -1;
    }

    private static void One(OperationContext c, Type operation, PtxType type)
    {
        Operands(c, type, 1);
        c.I.Run = Loop(operation, type);
    }

    private static void Two(OperationContext c, Type operation)
    {
        PtxType type = c.Type();
        Operands(c, type, 2);
        c.I.Run = Loop(operation, type);
    }

    private static void Three(OperationContext c, Type operation)
    {
        PtxType type = c.Type();
        Operands(c, type, 3);
        c.I.Run = Loop(operation, type);
    }

    private static void AddSub(OperationContext c, Type operation, Type saturated, FloatOperation floating)
    {
        PtxType type = c.Type();
        if (type.IsFloat())
        {
            FloatBuilders.Arithmetic(c, floating, type, 2);
            return;
        }
        if (c.Take("cc"))
        {
            c.I.Flag = true;
            Carry(c, type, floating == FloatOperation.Sub, usesCarry: false);
            return;
        }
        Operands(c, type, 2);
        c.I.Run = c.Take("sat") ? Loop(saturated, type) : Loop(operation, type);
    }

    private static void Carry(OperationContext c, PtxType type, bool isSub, bool usesCarry)
    {
        c.I.Flag |= c.Take("cc");
        Operands(c, type, 2);
        int width = type.Size() * 8;
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B), carry = warp.Slot(Function.CarrySlot);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                d[lane] = Chain(a[lane], b[lane], usesCarry ? carry[lane] : 0, isSub, width, out ulong next);
                carry[lane] = i.Flag ? next : carry[lane];
            }
        };
    }

    /// <summary>One link of an addition (or subtraction, where the flag is a borrow) of long numbers.</summary>
    private static ulong Chain(ulong a, ulong b, ulong carry, bool isSub, int width, out ulong next)
    {
        UInt128 limit = UInt128.One << width;
        UInt128 x = a & (limit - 1), y = b & (limit - 1);
        UInt128 sum = isSub ? x - y - carry : x + y + carry;
        next = (ulong)(sum >> width & 1);
        return (ulong)(sum & (limit - 1));
    }

    private static void MadCarry(OperationContext c, string? half, PtxType type, bool usesCarry)
    {
        c.I.Flag |= c.Take("cc");
        Operands(c, type, 3);
        int width = type.Size() * 8;
        bool high = half == "hi", signed = type.IsSigned();
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A), b = warp.Slot(i.B), addend = warp.Slot(i.C), carry = warp.Slot(Function.CarrySlot);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                ulong product = (width, high, signed) switch
                {
                    (32, true, true) => Integers.MultiplyHigh<int>(a[lane], b[lane]),
                    (32, true, false) => Integers.MultiplyHigh<uint>(a[lane], b[lane]),
                    (64, true, true) => Integers.MultiplyHigh<long>(a[lane], b[lane]),
                    (64, true, false) => Integers.MultiplyHigh<ulong>(a[lane], b[lane]),
                    _ => unchecked(a[lane] * b[lane]),
                };
                d[lane] = Chain(product, addend[lane], usesCarry ? carry[lane] : 0, false, width, out ulong next);
                carry[lane] = i.Flag ? next : carry[lane];
            }
        };
    }

    private static void Mul(OperationContext c)
    {
        PtxType type = c.Type();
        if (type.IsFloat())
        {
            FloatBuilders.Arithmetic(c, FloatOperation.Mul, type, 2);
            return;
        }
        Type operation = c.TakeAny("lo", "hi", "wide") switch
        {
            "hi" => typeof(MulHi<>),
            "wide" => typeof(MulWide<>),
            "lo" => typeof(MulLo<>),
            _ => throw c.Refuse("says neither lo, hi nor wide"),
        };
        Operands(c, type, 2);
        c.I.Run = Loop(operation, type);
    }

    private static void Mad(OperationContext c)
    {
        PtxType type = c.Type();
        if (type.IsFloat())
        {
            FloatBuilders.Arithmetic(c, FloatOperation.Fma, type, 3);
            return;
        }
        string? half = c.TakeAny("lo", "hi", "wide");
        if (c.Take("cc"))
        {
            c.I.Flag = true;
            MadCarry(c, half, type, usesCarry: false);
            return;
        }
        bool saturates = c.Take("sat");
        Type operation = half switch
        {
            "hi" => saturates ? typeof(MadHiSaturated) : typeof(MadHi<>),
            "wide" => typeof(MadWide<>),
            "lo" => typeof(MadLo<>),
            _ => throw c.Refuse("says neither lo, hi nor wide"),
        };
        c.ExpectOperands(4, 4);
        c.Destination();
        c.I.A = c.Source(1, type);
        c.I.B = c.Source(2, type);
        c.I.C = c.Source(3, half == "wide" ? PtxType.B64 : type);
        c.I.Run = Loop(operation, type);
    }

    private static void Divide(OperationContext c)
    {
        PtxType type = c.Type();
        if (type.IsFloat())
        {
            FloatBuilders.Arithmetic(c, FloatOperation.Div, type, 2);
            return;
        }
        Operands(c, type, 2);
        c.I.Run = Loop(typeof(Div<>), type);
    }

    private static void OneOrFloat(OperationContext c, Type operation)
    {
        PtxType type = c.Type();
        if (type.IsFloat())
        {
            FloatBuilders.Sign(c, type);
            return;
        }
        One(c, operation, type);
    }

    private static void MinMax(OperationContext c, Type operation, bool max)
    {
        PtxType type = c.Type();
        if (type.IsFloat())
        {
            FloatBuilders.MinMax(c, type, max);
            return;
        }
        Operands(c, type, 2);
        c.I.Run = Loop(operation, type);
    }

    private static void Logic(OperationContext c, Type predicate, Type bits)
    {
        PtxType type = c.Type();
        Operands(c, type, c.Name == "not" ? 1 : 2);
        c.I.Run = Loop(type == PtxType.Pred ? predicate : bits, type);
    }

    private static void Shift(OperationContext c, Type operation)
    {
        PtxType type = c.Type();
        c.ExpectOperands(3, 3);
        c.Destination();
        c.I.A = c.Source(1, type);
        c.I.B = c.Source(2, PtxType.U32);
        c.I.Run = Loop(operation, type);
    }

    private static void Funnel(OperationContext c)
    {
        bool left = c.Take("l");
        if (!left && !c.Take("r"))
        {
            throw c.Refuse("says neither l nor r");
        }
        bool wrap = c.Take("wrap");
        if (!wrap && !c.Take("clamp"))
        {
            throw c.Refuse("says neither wrap nor clamp");
        }
        Operands(c, c.Type(), 3);
        c.I.Run = Lanes.Of((left, wrap) switch
        {
            (true, true) => typeof(FunnelLeftWrap),
            (true, false) => typeof(FunnelLeftClamp),
            (false, true) => typeof(FunnelRightWrap),
            _ => typeof(FunnelRightClamp),
        });
    }

    private static void Field(OperationContext c)
    {
        PtxType type = c.Type();
        c.ExpectOperands(4, 4);
        c.Destination();
        c.I.A = c.Source(1, type);
        c.I.B = c.Source(2, PtxType.U32);
        c.I.C = c.Source(3, PtxType.U32);
        c.I.Run = Loop(typeof(Bfe<>), type);
    }

    private static void Insert(OperationContext c)
    {
        PtxType type = c.Type();
        c.ExpectOperands(5, 5);
        c.Destination();
        c.I.A = c.Source(1, type);
        c.I.B = c.Source(2, type);
        c.I.C = c.Source(3, PtxType.U32);
        c.I.E = c.Source(4, PtxType.U32);
        int width = type.Size() * 8;
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), x = warp.Slot(i.A), y = warp.Slot(i.B), p = warp.Slot(i.C), n = warp.Slot(i.E);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                d[lane] = Bits.Insert(x[lane], y[lane] & OperationContext.WidthMask(width / 8), p[lane], n[lane], width);
            }
        };
    }

    private static void Lop3(OperationContext c)
    {
        PtxType type = c.Type();
        c.ExpectOperands(5, 5);
        c.Destination();
        (c.I.A, c.I.B, c.I.C) = (c.Source(1, type), c.Source(2, type), c.Source(3, type));
        c.I.Imm = c.Constant(4);
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), x = warp.Slot(i.A), y = warp.Slot(i.B), z = warp.Slot(i.C);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                d[lane] = Bits.Lop3((uint)x[lane], (uint)y[lane], (uint)z[lane], (int)i.Imm);
            }
        };
    }

    private static void Permute(OperationContext c)
    {
        PtxType type = c.Type();
        string mode = c.TakeAny("f4e", "b4e", "rc8", "ecl", "ecr", "rc16") ?? "";
        Operands(c, type, 3);
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), x = warp.Slot(i.A), y = warp.Slot(i.B), z = warp.Slot(i.C);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                d[lane] = Bits.Permute((uint)x[lane], (uint)y[lane], Bits.Selectors(mode, (uint)z[lane]));
            }
        };
    }

    private static void Dot(OperationContext c, bool isFour)
    {
        string? half = isFour ? "" : c.TakeAny("lo", "hi");
        PtxType typeA = c.Type(), typeB = c.Type();
        Operands(c, PtxType.B32, 3);
        bool signedA = typeA.IsSigned(), signedB = typeB.IsSigned();
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), x = warp.Slot(i.A), y = warp.Slot(i.B), z = warp.Slot(i.C);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                d[lane] = isFour
                    ? DotProducts.Dp4a((uint)x[lane], (uint)y[lane], (uint)z[lane], signedA, signedB)
                    : DotProducts.Dp2a((uint)x[lane], (uint)y[lane], (uint)z[lane], signedA, signedB, half == "hi");
            }
        };
    }

    /// <summary><c>bmsk</c>: a run of ones at a position.</summary>
    private static void Mask(OperationContext c)
    {
        bool wrap = c.TakeAny("clamp", "wrap") == "wrap";
        Operands(c, c.Type(), 2);
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), x = warp.Slot(i.A), y = warp.Slot(i.B);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                uint position = wrap ? (uint)x[lane] & 31 : Math.Min((uint)x[lane], 32);
                uint length = wrap ? (uint)y[lane] & 31 : Math.Min((uint)y[lane], 32);
                d[lane] = (uint)(((1UL << (int)length) - 1) << (int)position);
            }
        };
    }

    /// <summary><c>szext</c>: extends a value of so many bits to 32.</summary>
    private static void SignExtend(OperationContext c)
    {
        bool wrap = c.TakeAny("clamp", "wrap") == "wrap";
        PtxType type = c.Type();
        Operands(c, type, 2);
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), x = warp.Slot(i.A), y = warp.Slot(i.B);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                int length = (int)(wrap ? (uint)y[lane] & 31 : Math.Min((uint)y[lane], 32));
                ulong low = (1UL << length) - 1;
                bool negative = type.IsSigned() && length > 0 && (x[lane] >> (length - 1) & 1) != 0;
                d[lane] = (uint)((x[lane] & low) | (negative ? ~low : 0));
            }
        };
    }
}
