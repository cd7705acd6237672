using System.Numerics;
using System.Runtime.CompilerServices;

namespace AiFabrik.Ptx;

/// <summary>Decodes loads, stores and atomics (PTX ISA, "Data Movement Instructions" and "atom, red").</summary>
internal static class MemoryBuilders
{
    public static void Register(Dictionary<string, Action<OperationContext>> table)
    {
        table["ld"] = c => LoadStore(c, isLoad: true);
        table["ldu"] = c => LoadStore(c, isLoad: true);
        table["st"] = c => LoadStore(c, isLoad: false);
        table["atom"] = c => Atomic(c, hasResult: true);
        table["red"] = c => Atomic(c, hasResult: false);
    }

    public static Space TakeSpace(OperationContext c) =>
        c.TakeAny("global", "shared", "shared::cta", "shared::cluster", "local", "const", "param", "param::entry", "param::func") switch
        {
            "global" => Space.Global,
            "shared" or "shared::cta" or "shared::cluster" => Space.Shared,
            "local" => Space.Local,
            "const" => Space.Const,
            "param" or "param::entry" or "param::func" => Space.Param,
            _ => Space.Generic,
        };

    /// <summary>Takes what says nothing about the result: cache operators, hints, scopes. Notes what is strong or orders.</summary>
    private static void TakeOrder(OperationContext c)
    {
        Instruction i = c.I;
        string? semantics = c.TakeAny("weak", "volatile", "relaxed", "acquire", "release", "acq_rel", "mmio");
        i.Strong = semantics is not (null or "weak");
        c.Compiler.Module.HasFences |= semantics is "acquire" or "release" or "acq_rel";
        c.TakeAny("cta", "cluster", "gpu", "sys");
        c.TakeAny("ca", "cg", "cs", "lu", "cv", "wb", "wt");
        c.Take("nc");
        c.Take("unified");
        c.TakePrefix("L1::");
        c.TakePrefix("L2::");
    }

    /// <summary>Parameters of a kernel are in their own buffer; those of functions, and arguments of calls, in the frame.</summary>
    private static Space ParameterSpace(OperationContext c, int operand)
    {
        FunctionSyntax function = c.Compiler.Function.Syntax;
        Variable? variable = FunctionCompiler.FindVariable(c.Statement.Scope, c.Operand(operand).Name);
        bool inFrame = variable is null ? !function.IsEntry : !function.IsEntry || function.Locals.Contains(variable);
        return inFrame ? Space.Local : Space.Param;
    }

    private static void LoadStore(OperationContext c, bool isLoad)
    {
        Instruction i = c.I;
        TakeOrder(c);
        i.Space = TakeSpace(c);
        i.Count = c.TakeAny("v2", "v4") switch { "v2" => 2, "v4" => 4, _ => 1 };
        i.Type = c.Type();
        i.Size = i.Type.Size();
        c.ExpectOperands(2, 3);
        int address = isLoad ? 1 : 0;
        i.Space = i.Space == Space.Param ? ParameterSpace(c, address) : i.Space;
        i.A = c.Address(address, out i.Imm);
        i.List = isLoad ? c.Destinations(0) : c.Sources(1, i.Type);
        i.List2 = isLoad ? [.. Masks(c)] : [];
        if (i.List.Length != i.Count || i.Size * i.Count > 32 || i.Type is PtxType.B128 or PtxType.Pred)
        {
            throw c.Refuse("moves a vector that it cannot have");
        }
        c.Compiler.Module.NoteAccess(i.Space, i.Size);
        i.Run = isLoad ? Load : Store;
    }

    /// <summary>Bytes of each destination register.</summary>
    private static IEnumerable<int> Masks(OperationContext c)
    {
        Operand operand = c.Operand(0);
        foreach (Operand item in operand.Kind == OperandKind.Vector ? operand.Items : [operand])
        {
            c.Destination(item, out ulong mask);
            yield return (BitOperations.Log2(mask) + 1) / 8;
        }
    }

    public static ulong Read(ref byte at, int size) => size switch
    {
        1 => at,
        2 => Unsafe.ReadUnaligned<ushort>(ref at),
        4 => Unsafe.ReadUnaligned<uint>(ref at),
        _ => Unsafe.ReadUnaligned<ulong>(ref at),
    };

    public static void Write(ref byte at, int size, ulong value)
    {
        switch (size)
        {
            case 1: at = (byte)value; break;
            case 2: Unsafe.WriteUnaligned(ref at, (ushort)value); break;
            case 4: Unsafe.WriteUnaligned(ref at, (uint)value); break;
            default: Unsafe.WriteUnaligned(ref at, value); break;
        }
    }

    private static void Load(Warp warp, Instruction i, uint mask)
    {
        int total = i.Size * i.Count;
        bool isSigned = i.Type.IsSigned();
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            ulong address = warp.Slot(i.A)[lane] + (ulong)i.Imm;
            Located located = warp.Locate(i.Space, lane, address, total, PtxAccess.Read, i);
            if (located.Shadow is not null)
            {
                if (i.Strong)
                {
                    warp.SynchroniseThrough(located, lane, acquire: true, release: false);
                }
                located.Shadow.Read(warp, lane, located.Offset, total, i, i.Strong);
            }
            for (int e = 0; e < i.Count; e++)
            {
                if (i.List[e] < 0)
                {
                    continue;
                }
                ulong value = Read(ref Unsafe.Add(ref located.Bytes, e * i.Size), i.Size);
                if (isSigned)
                {
                    int unused = 64 - i.Size * 8;
                    value = (ulong)((long)(value << unused) >> unused) & OperationContext.WidthMask(i.List2[e]);
                }
                warp.Slot(i.List[e])[lane] = value;
            }
        }
    }

    private static void Store(Warp warp, Instruction i, uint mask)
    {
        int total = i.Size * i.Count;
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            ulong address = warp.Slot(i.A)[lane] + (ulong)i.Imm;
            Located located = warp.Locate(i.Space, lane, address, total, PtxAccess.Write, i);
            if (located.Shadow is not null)
            {
                bool same = true;
                for (int e = 0; e < i.Count && same; e++)
                {
                    ulong value = warp.Slot(i.List[e])[lane] & OperationContext.WidthMask(i.Size);
                    same = Read(ref Unsafe.Add(ref located.Bytes, e * i.Size), i.Size) == value;
                }
                if (i.Strong)
                {
                    warp.SynchroniseThrough(located, lane, acquire: false, release: true);
                }
                located.Shadow.Write(warp, lane, located.Offset, total, i, i.Strong, same);
            }
            for (int e = 0; e < i.Count; e++)
            {
                Write(ref Unsafe.Add(ref located.Bytes, e * i.Size), i.Size, warp.Slot(i.List[e])[lane]);
            }
        }
    }

    private static void Atomic(OperationContext c, bool hasResult)
    {
        Instruction i = c.I;
        TakeOrder(c);
        i.Strong = true;
        c.Take("sync");
        i.Space = TakeSpace(c);
        string operation = c.TakeAny("add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec") ?? throw c.Refuse("has no operation");
        c.Compiler.Module.HasCompareAndSwap |= operation == "cas";
        c.Take("noftz");
        i.Type = c.Type();
        i.Size = i.Type.Size();
        int first = hasResult ? 1 : 0;
        int values = operation == "cas" ? 2 : 1;
        c.ExpectOperands(first + 1 + values, first + 2 + values);
        if (hasResult)
        {
            c.Destination();
        }
        i.A = c.Address(first, out i.Imm);
        i.B = c.Source(first + 1, i.Type);
        i.C = values == 2 ? c.Source(first + 2, i.Type) : i.B;
        Func<ulong, ulong, ulong, ulong> update = Update(operation, i.Type) ?? throw c.Refuse("has a type that it cannot have");
        i.Data = update;
        c.Compiler.Module.NoteAccess(i.Space, i.Size);
        i.Run = Update;
    }

    private static void Update(Warp warp, Instruction i, uint mask)
    {
        var update = (Func<ulong, ulong, ulong, ulong>)i.Data!;
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            ulong address = warp.Slot(i.A)[lane] + (ulong)i.Imm;
            Located located = warp.Locate(i.Space, lane, address, i.Size, PtxAccess.Atomic, i);
            if (located.Shadow is not null)
            {
                warp.SynchroniseThrough(located, lane, acquire: true, release: false);
                located.Shadow.Read(warp, lane, located.Offset, i.Size, i, strong: true);
            }
            ulong before = Read(ref located.Bytes, i.Size);
            ulong after = update(before, warp.Slot(i.B)[lane], warp.Slot(i.C)[lane]);
            if (located.Shadow is not null)
            {
                located.Shadow.Write(warp, lane, located.Offset, i.Size, i, strong: true, sameValue: false);
                // An exchange that changed nothing, such as a try of a lock that is taken, tells nobody anything.
                warp.SynchroniseThrough(located, lane, acquire: false, release: after != before);
            }
            Write(ref located.Bytes, i.Size, after);
            if (i.D >= 0)
            {
                warp.Slot(i.D)[lane] = before;
            }
        }
    }

    /// <summary>New value from the old one and the operands.</summary>
    private static Func<ulong, ulong, ulong, ulong>? Update(string operation, PtxType type) => (operation, type) switch
    {
        ("exch", _) => (_, b, _) => b,
        ("cas", _) => Cas(OperationContext.WidthMask(type.Size())),
        ("and", _) => (a, b, _) => a & b,
        ("or", _) => (a, b, _) => a | b,
        ("xor", _) => (a, b, _) => a ^ b,
        ("inc", PtxType.U32) => (a, b, _) => (uint)a >= (uint)b ? 0 : a + 1,
        ("dec", PtxType.U32) => (a, b, _) => (uint)a == 0 || (uint)a > (uint)b ? (uint)b : a - 1,
        ("add", PtxType.F32) => (a, b, _) => Lanes.Put(Lanes.Get<float>(a) + Lanes.Get<float>(b)),
        ("add", PtxType.F64) => (a, b, _) => Lanes.Put(Lanes.Get<double>(a) + Lanes.Get<double>(b)),
        (_, PtxType.F16 or PtxType.BF16 or PtxType.F16x2 or PtxType.BF16x2) => HalfUpdate(operation, type),
        ("add", _) => (a, b, _) => a + b,
        ("min", PtxType.S32) => (a, b, _) => (uint)Math.Min((int)a, (int)b),
        ("max", PtxType.S32) => (a, b, _) => (uint)Math.Max((int)a, (int)b),
        ("min", PtxType.U32) => (a, b, _) => Math.Min((uint)a, (uint)b),
        ("max", PtxType.U32) => (a, b, _) => Math.Max((uint)a, (uint)b),
        ("min", PtxType.S64) => (a, b, _) => (ulong)Math.Min((long)a, (long)b),
        ("max", PtxType.S64) => (a, b, _) => (ulong)Math.Max((long)a, (long)b),
        ("min", PtxType.U64) => (a, b, _) => Math.Min(a, b),
        ("max", PtxType.U64) => (a, b, _) => Math.Max(a, b),
        _ => null,
    };

    private static Func<ulong, ulong, ulong, ulong> Cas(ulong bits) => (a, b, c) => a == (b & bits) ? c : a;

    private static Func<ulong, ulong, ulong, ulong> HalfUpdate(string operation, PtxType type)
    {
        FloatFormat format = FloatBuilders.FormatOf(type);
        ulong One(ulong a, ulong b)
        {
            double x = format.ToDouble(a & 0xFFFF), y = format.ToDouble(b & 0xFFFF);
            return operation == "add"
                ? FloatMath.Half(FloatOperation.Add, format, x, y, 0)
                : format.FromDouble(FloatMath.MinMax(x, y, operation == "max", false), Rounding.Nearest);
        }
        return type is PtxType.F16x2 or PtxType.BF16x2 ? (a, b, _) => One(a, b) | One(a >> 16, b >> 16) << 16 : (a, b, _) => One(a, b);
    }
}
