using System.Numerics;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>
/// Dicts: pairs of cells in the order in which their keys came, never changed once made. The value holds the pairs'
/// address in its low half and, from <see cref="IndexFrom"/> pairs on, that of a hash index in its high half.
/// </summary>
internal static class Dicts
{
    private const int IndexFrom = 12;

    public static Value Key(Interpreter vm, in Value dict, int index) => vm.Cells[dict.Address + (2 * index)];

    public static Value ValueAt(Interpreter vm, in Value dict, int index) => vm.Cells[dict.Address + (2 * index) + 1];

    public static Value Empty(Interpreter vm)
    {
        var pairs = new ListBuilder(vm);
        pairs.Grow(1);
        return FromPairs(vm, ref pairs);
    }

    /// <summary>Makes a dict of keys and values; of equal keys the first place and the last (or first) value count.</summary>
    public static Value FromPairs(Interpreter vm, ref ListBuilder pairs, bool keepFirst = false)
    {
        int given = pairs.Count / 2;
        int index = 0;
        int slots = 0;
        if (given >= IndexFrom)
        {
            slots = (int)BitOperations.RoundUpToPowerOf2((uint)given * 2);
            if (!vm.AllocateCells(slots, out index)) return default;
        }

        int count = 0;
        for (int i = 0; i < given; i++)
        {
            Value key = pairs[2 * i];
            Value value = pairs[(2 * i) + 1];
            if (!IsHashable(vm, key, 0)) return vm.Fail(TemplateError.Type);
            int at = -1;
            int slot = 0;
            if (slots == 0)
            {
                for (int k = 0; k < count && at < 0; k++)
                {
                    if (SameKey(vm, pairs[2 * k], key)) at = k;
                }
            }
            else
            {
                if (!vm.Step()) return default;
                slot = Hash(vm, key) & (slots - 1);
                for (; !vm.Cells[index + slot].IsMissing; slot = (slot + 1) & (slots - 1))
                {
                    int k = (int)vm.Cells[index + slot].Bits;
                    if (!SameKey(vm, pairs[2 * k], key)) continue;
                    at = k;
                    break;
                }
            }

            if (vm.Failed) return default;
            if (at >= 0)
            {
                if (!keepFirst) pairs.Set((2 * at) + 1, value);
                continue;
            }

            if (slots > 0) vm.Cells[index + slot] = Value.Int(count);
            pairs.Set(2 * count, key);
            pairs.Set((2 * count) + 1, value);
            count++;
        }

        long address = pairs.ToValue().Address;
        return new Value(Kind.Dict, ((long)index << 32) | address, count, (ushort)BitOperations.Log2((uint)Math.Max(1, slots)));
    }

    /// <summary>The place of a key, or -1.</summary>
    public static int Find(Interpreter vm, in Value dict, in Value key)
    {
        int index = (int)(dict.Bits >> 32);
        if (index == 0)
        {
            for (int i = 0; i < dict.Length; i++)
            {
                if (SameKey(vm, Key(vm, dict, i), key)) return i;
            }

            return -1;
        }

        int mask = (1 << dict.Aux) - 1;
        for (int slot = Hash(vm, key) & mask; ; slot = (slot + 1) & mask)
        {
            Value entry = vm.Cells[index + slot];
            if (entry.IsMissing) return -1;
            if (SameKey(vm, Key(vm, dict, (int)entry.Bits), key)) return (int)entry.Bits;
        }
    }

    /// <summary>The value of a key, or missing.</summary>
    public static Value Get(Interpreter vm, in Value dict, in Value key)
    {
        int at = Find(vm, dict, key);
        return at < 0 ? default : ValueAt(vm, dict, at);
    }

    /// <summary>The value of a key that is given by its bytes, or missing.</summary>
    public static Value Get(Interpreter vm, in Value dict, ReadOnlySpan<byte> key)
    {
        for (int i = 0; i < dict.Length; i++)
        {
            Value candidate = Key(vm, dict, i);
            if (candidate.IsStr && vm.Bytes(candidate).SequenceEqual(key)) return ValueAt(vm, dict, i);
        }

        return default;
    }

    public static bool IsHashable(Interpreter vm, in Value key, int depth)
    {
        if (key.Kind is Kind.List or Kind.Dict or Kind.View || depth > vm.Limits.ValueDepthMax) return false;
        if (key.Kind != Kind.Tuple) return true;
        for (int i = 0; i < key.Length; i++)
        {
            if (!IsHashable(vm, vm.Cells[key.Address + i], depth + 1)) return false;
        }

        return true;
    }

    private static bool SameKey(Interpreter vm, in Value a, in Value b)
    {
        if (a.IsStr && b.IsStr) return a.Length == b.Length && vm.Bytes(a).SequenceEqual(vm.Bytes(b));
        return Ordering.Equal(vm, a, b);
    }

    /// <summary>Equal keys have equal hashes: 1, 1.0 and true are one key. The seed is the process's own.</summary>
    private static int Hash(Interpreter vm, in Value key)
    {
        var hash = new HashCode();
        switch (key.Kind)
        {
            case Kind.Str: hash.AddBytes(vm.Bytes(key)); break;
            case Kind.Bool or Kind.Int: hash.Add((double)key.Bits); break;
            case Kind.Float: hash.Add(key.AsFloat + 0.0); break;
            case Kind.BigInt: hash.Add(Integers.ToDouble(vm, key)); break;
            case Kind.Tuple:
                for (int i = 0; i < key.Length; i++) hash.Add(Hash(vm, vm.Cells[key.Address + i]));
                break;
            default: hash.Add((int)key.Kind); break;
        }

        return hash.ToHashCode();
    }
}
