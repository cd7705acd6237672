using System.Runtime.CompilerServices;
using AiFabrik.Engine.Text.Tokenization.Bpe;
using AiFabrik.Engine.Text.Tokenization.Steps;

namespace AiFabrik.Engine.Text.Tokenization.Json;

/// <summary>The merges as they are read: the text of both parts of each, one after the other.</summary>
internal sealed class MergeList
{
    internal const int MergesMax = 1 << 23;
    private const int MergesPerTask = 1 << 14;
    private readonly ByteList _text = new();

    // Where each merge starts, and where its right part does.
    private int[] _starts = new int[1024], _middles = new int[1024];
    private int _count;

    /// <summary>Reads a list of strings with one space each, or of pairs of strings.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static MergeList Read(ref JsonScanner json)
    {
        var list = new MergeList();
        json.Take((byte)'[');
        if (!json.TryTake((byte)']'))
        {
            do
            {
                if (list._count >= MergesMax) throw new RefusedException($"The tokenizer has more than {MergesMax} merges.");
                if (list._count + 1 == list._starts.Length)
                {
                    Array.Resize(ref list._starts, list._starts.Length * 2);
                    Array.Resize(ref list._middles, list._starts.Length);
                }

                list.ReadPair(ref json);
            }
            while (json.TakesAnother((byte)']'));
        }

        list._starts[list._count] = list._text.Count;
        list._text.Reserve(PieceTable.SlackBytes);
        return list;
    }

    /// <summary>The symbols of all merges. Once only: the text is changed on the way.</summary>
    /// <param name="distinct">The pieces, if no two are the same.</param>
    internal MergeRules Resolve(PieceTable pieces, Spellings? distinct, bool isByteLevel)
    {
        var rules = new MergeRules(_count);
        var areKnown = true;
        Parallel.For(0, (_count + MergesPerTask - 1) / MergesPerTask, task =>
        {
            var end = Math.Min(_count, (task + 1) * MergesPerTask);
            if (!TryResolve(rules, task * MergesPerTask, end, pieces, distinct, isByteLevel)) areKnown = false;
        });
        return areKnown ? rules : throw new RefusedException("The tokenizer merges tokens that are not in its vocabulary.");
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private bool TryResolve(MergeRules rules, int from, int to, PieceTable pieces, Spellings? distinct, bool isByteLevel)
    {
        var text = _text.Data;
        var symbol = -1;
        for (var i = from; i < to; i++)
        {
            var start = _starts[i];
            var (left, right) = (_middles[i] - start, _starts[i + 1] - _middles[i]);
            if (isByteLevel)
            {
                // Bytes are never longer than the characters that stand for them.
                right = ByteAlphabet.TryUnmap(text.AsSpan(_middles[i], right), text.AsSpan(_middles[i]));
                left = ByteAlphabet.TryUnmap(text.AsSpan(start, left), text.AsSpan(start));
                if (left < 0 || right < 0)
                {
                    // A symbol that no byte-level text has can't come up, so its merges never happen.
                    (rules.Left[i], rules.Right[i], rules.Symbol[i]) = (-1, -1, -1);
                    continue;
                }

                text.AsSpan(_middles[i], right).CopyTo(text.AsSpan(start + left));
            }

            // Files mostly list merges in the order of what they give: that or the next one, or it has to be looked up.
            var both = text.AsSpan(start, left + right);
            if (distinct is null || !(IsSpelled(distinct, symbol, both) || IsSpelled(distinct, ++symbol, both))) symbol = pieces.Find(text, start, both.Length);
            rules.Left[i] = pieces.Find(text, start, left);
            rules.Right[i] = pieces.Find(text, start + left, right);
            rules.Symbol[i] = symbol;
            if (symbol < 0 || rules.Left[i] < 0 || rules.Right[i] < 0) return false;
        }

        return true;
    }

    private static bool IsSpelled(Spellings spellings, int id, ReadOnlySpan<byte> text) => spellings.Has(id) && spellings.Lengths[id] > 0 && spellings[id].SequenceEqual(text);

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void ReadPair(ref JsonScanner json)
    {
        var start = _text.Count;
        _starts[_count] = start;
        switch (json.Peek())
        {
            case (byte)'"':
                json.String(_text);
                var space = _text.Data.AsSpan(start, _text.Count - start).IndexOf((byte)' ');
                if (space < 0) throw Malformed();
                var right = _text.Data.AsSpan(start + space + 1, _text.Count - start - space - 1);
                if (right.Contains((byte)' ')) throw Malformed();
                right.CopyTo(_text.Data.AsSpan(start + space));
                _text.Count--;
                _middles[_count++] = start + space;
                break;
            case (byte)'[':
                json.Take((byte)'[');
                if (json.Peek() != '"') throw Malformed();
                json.String(_text);
                _middles[_count++] = _text.Count;
                if (!json.TryTake((byte)',') || json.Peek() != '"') throw Malformed();
                json.String(_text);
                if (!json.TryTake((byte)']')) throw Malformed();
                break;
            default: throw Malformed();
        }
    }

    private static RefusedException Malformed() => new("The tokenizer has a merge that is not a pair of tokens.");
}
