using System.Runtime.CompilerServices;

namespace AiFabrik.Engine.Text.Tokenization.Unicode;

/// <summary>A set of code points while it is being put together (one bit each); <see cref="Regex.CharClass"/> is its form for matching.</summary>
internal sealed class CodePointSet
{
    internal const int Limit = 0x110000;
    private ulong[] _bits = [];

    /// <summary>Words that may have members.</summary>
    internal int Words => _bits.Length;

    internal bool Contains(int c) => (Word(c >> 6) >> (c & 63) & 1) != 0;

    internal ulong Word(int index) => index < _bits.Length ? _bits[index] : 0;

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal CodePointSet Add(int first, int last)
    {
        if (last >= first) Reach(last / 64);
        for (var c = first; c <= last;)
        {
            if ((c & 63) == 0 && c + 63 <= last)
            {
                _bits[c >> 6] = ulong.MaxValue;
                c += 64;
            }
            else
            {
                _bits[c >> 6] |= 1UL << (c & 63);
                c++;
            }
        }

        return this;
    }

    internal CodePointSet Add(int c) => Add(c, c);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal CodePointSet Add(CodePointSet other)
    {
        Reach(other._bits.Length - 1);
        for (var i = 0; i < other._bits.Length; i++) _bits[i] |= other._bits[i];
        return this;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal CodePointSet Intersect(CodePointSet other)
    {
        for (var i = 0; i < _bits.Length; i++) _bits[i] &= other.Word(i);
        return this;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal CodePointSet Invert()
    {
        Reach(Limit / 64 - 1);
        for (var i = 0; i < _bits.Length; i++) _bits[i] = ~_bits[i];
        return this;
    }

    /// <summary>Adds every code point that folds to the same as a member (simple case folding).</summary>
    internal CodePointSet AddCaseVariants()
    {
        var targets = new CodePointSet();
        ForEachFold((c, folded) =>
        {
            if (Contains(c) || Contains(folded)) targets.Add(folded);
        });
        ForEachFold((c, folded) =>
        {
            if (targets.Contains(folded)) Add(c).Add(folded);
        });
        return this;
    }

    internal static CodePointSet FromPairs(ReadOnlySpan<int> pairs)
    {
        var set = new CodePointSet();
        for (var i = 0; i < pairs.Length; i += 2) set.Add(pairs[i], pairs[i + 1]);
        return set;
    }

    /// <summary>Most sets are a few characters, so words are there only as far as needed.</summary>
    private void Reach(int word)
    {
        if (word >= _bits.Length) Array.Resize(ref _bits, Math.Min(Limit / 64, Math.Max(word + 1, _bits.Length * 2)));
    }

    private static void ForEachFold(Action<int, int> visit)
    {
        var fold = CaseMappings.Fold;
        for (var i = 0; i < fold.Length; i += 4)
        {
            for (var c = fold[i]; c <= fold[i + 1]; c += fold[i + 2]) visit(c, c + fold[i + 3]);
        }
    }
}
