using System.Numerics;

namespace AiFabrik.Ptx;

/// <summary>Decodes moves between registers, and the conversion of addresses between spaces.</summary>
internal static class MoveBuilders
{
    public static void Register(Dictionary<string, Action<OperationContext>> table)
    {
        table["mov"] = Move;
        table["cvta"] = ConvertAddress;
        table["isspacep"] = IsInSpace;
        table["activemask"] = c =>
        {
            c.Take("b32");
            c.Destination();
            c.I.Run = (warp, i, mask) => Fill(warp.Slot(i.D), mask, mask);
        };
        table["prefetch"] = Ignore;
        table["prefetchu"] = Ignore;
        table["applypriority"] = Ignore;
        table["discard"] = Ignore;
        table["nanosleep"] = c =>
        {
            c.Take("u32");
            c.I.Run = (warp, _, _) => warp.Yield();
        };
        table["setmaxnreg"] = Ignore;
        table["griddepcontrol"] = Ignore;
        table["pmevent"] = Ignore;
    }

    /// <summary>What has no effect that a program could see.</summary>
    private static void Ignore(OperationContext c)
    {
        c.TakePrefix("");
        c.I.Run = (_, _, _) => { };
    }

    private static void Fill(Span<ulong> d, uint mask, ulong value)
    {
        for (; mask != 0; mask &= mask - 1)
        {
            d[BitOperations.TrailingZeroCount(mask)] = value;
        }
    }

    private static void Move(OperationContext c)
    {
        PtxType type = c.Type();
        c.ExpectOperands(2, 2);
        Operand to = c.Operand(0), from = c.Operand(1);
        if (to.Kind == OperandKind.Vector)
        {
            Unpack(c, type, to);
            return;
        }
        if (from.Kind == OperandKind.Vector)
        {
            Pack(c, type, from);
            return;
        }
        c.Destination();
        if (from is { Kind: OperandKind.Name, Name: "%clock" or "%clock64" or "%globaltimer" })
        {
            c.I.Run = (warp, i, mask) => Fill(warp.Slot(i.D), mask, (ulong)warp.Block.Launch.WarpInstructions & i.DMask);
            return;
        }
        c.I.A = c.Source(1, type);
        ulong bits = OperationContext.WidthMask(type.Size());
        if (type == PtxType.B128)
        {
            throw c.Refuse("has a type that is not known here");
        }
        bool negates = from.Not;
        c.I.Run = type.Size() == 8 ? Whole : (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                d[lane] = (negates ? a[lane] ^ 1 : a[lane]) & bits;
            }
        };
    }

    private static void Whole(Warp warp, Instruction i, uint mask)
    {
        Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A);
        for (; mask != 0; mask &= mask - 1)
        {
            int lane = BitOperations.TrailingZeroCount(mask);
            d[lane] = a[lane];
        }
    }

    private static void Unpack(OperationContext c, PtxType type, Operand to)
    {
        c.I.List = c.Destinations(0);
        c.I.A = c.Source(1, type);
        int width = type.Size() * 8 / Math.Max(to.Items.Count, 1);
        if (to.Items.Count is not (2 or 4) || width < 8)
        {
            throw c.Refuse("unpacks into a wrong number of registers");
        }
        ulong bits = OperationContext.WidthMask(width / 8);
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> a = warp.Slot(i.A);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                ulong value = a[lane]; // read first: a destination may be the source
                for (int part = 0; part < i.List.Length; part++)
                {
                    if (i.List[part] >= 0)
                    {
                        warp.Slot(i.List[part])[lane] = value >> (part * width) & bits;
                    }
                }
            }
        };
    }

    private static void Pack(OperationContext c, PtxType type, Operand from)
    {
        c.Destination();
        int count = from.Items.Count;
        int width = type.Size() * 8 / Math.Max(count, 1);
        if (count is not (2 or 4) || width < 8)
        {
            throw c.Refuse("packs a wrong number of registers");
        }
        c.I.List = c.Sources(1, width switch { 8 => PtxType.B8, 16 => PtxType.B16, _ => PtxType.B32 });
        ulong bits = OperationContext.WidthMask(width / 8);
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                ulong value = 0;
                for (int part = 0; part < i.List.Length; part++)
                {
                    value |= (warp.Slot(i.List[part])[lane] & bits) << (part * width);
                }
                d[lane] = value;
            }
        };
    }

    private static ulong Window(OperationContext c, string? space) => space switch
    {
        "global" => 0,
        "shared" or "shared::cta" or "shared::cluster" => DeviceMemory.SharedWindow << DeviceMemory.WindowShift,
        "local" => DeviceMemory.LocalWindow << DeviceMemory.WindowShift,
        "const" => DeviceMemory.ConstWindow << DeviceMemory.WindowShift,
        "param" or "param::entry" => DeviceMemory.ParamWindow << DeviceMemory.WindowShift,
        _ => throw c.Refuse("names no space"),
    };

    private static string? TakeSpace(OperationContext c) =>
        c.TakeAny("global", "shared", "shared::cta", "shared::cluster", "local", "const", "param", "param::entry");

    private static void ConvertAddress(OperationContext c)
    {
        bool to = c.Take("to");
        ulong window = Window(c, TakeSpace(c));
        PtxType type = c.Type();
        c.ExpectOperands(2, 2);
        c.Destination();
        c.I.A = c.Source(1, type);
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                d[lane] = unchecked(to ? a[lane] - window : a[lane] + window);
            }
        };
    }

    private static void IsInSpace(OperationContext c)
    {
        string? space = TakeSpace(c);
        Window(c, space);
        Space wanted = space switch { "global" => Space.Global, "local" => Space.Local, "const" => Space.Const, "param" or "param::entry" => Space.Param, _ => Space.Shared };
        c.ExpectOperands(2, 2);
        c.Destination();
        c.I.A = c.Source(1, PtxType.B64);
        c.I.Run = (warp, i, mask) =>
        {
            Span<ulong> d = warp.Slot(i.D), a = warp.Slot(i.A);
            for (; mask != 0; mask &= mask - 1)
            {
                int lane = BitOperations.TrailingZeroCount(mask);
                d[lane] = Warp.Resolve(a[lane]).Item1 == wanted ? 1UL : 0;
            }
        };
    }
}
