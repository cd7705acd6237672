using AiFabrik.Engine.Text.Tokenization.Regex;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Steps;

/// <summary>
/// NFC, NFD, NFKC and NFKD (UAX #15). Text that the form cannot change is copied; from the starter before anything that it
/// might change to the next stable starter, the stretch is decomposed, ordered (by counting, so in linear time) and composed.
/// </summary>
internal sealed class UnicodeNormalizer(bool composes, bool compatible) : Normalizer
{
    private readonly CharClass _unstable = NormalizationData.Unstable(composes, compatible);

    internal override void Apply(TextBuffer from, TextBuffer to, TokenizerScratch scratch)
    {
        var text = from.Span;
        var copied = 0;
        var previous = 0;
        for (var at = 0; at < text.Length;)
        {
            if (text[at] < 0x80)
            {
                previous = at++;
                continue;
            }

            if (_unstable.Match(text, at) == 0)
            {
                previous = at;
                at += Utf8Text.Length(text[at]);
                continue;
            }

            to.Append(from, copied, previous - copied);
            var end = _unstable.Run(text, at, text.Length);
            Rewrite(from, previous, end, to, scratch.Normalizer);
            copied = previous = at = end;
        }

        to.Append(from, copied, text.Length - copied);
    }

    private void Rewrite(TextBuffer from, int start, int end, TextBuffer to, NormalizerScratch scratch)
    {
        var text = from.Span;
        var n = 0;
        while (start < end)
        {
            var c = Utf8Text.Decode(text, start, out var length);
            scratch.Ensure(n + 32);
            var added = DecomposeOne(c, scratch.CodePoints.AsSpan(n));
            scratch.Trust.AsSpan(n, added).Fill(from.TrustAt(start));
            n += added;
            start += length;
        }

        Order(scratch, n);
        if (composes) n = Compose(scratch, n);
        Span<byte> utf8 = stackalloc byte[4];
        for (var i = 0; i < n; i++) to.Append(utf8[..Utf8Text.Encode(scratch.CodePoints[i], utf8)], scratch.Trust[i]);
    }

    private int DecomposeOne(int c, Span<int> to)
    {
        var index = c - NormalizationData.HangulBase;
        if (index is >= 0 and < NormalizationData.HangulCount)
        {
            to[0] = NormalizationData.LeadBase + index / (NormalizationData.VowelCount * NormalizationData.TrailCount);
            to[1] = NormalizationData.VowelBase + index % (NormalizationData.VowelCount * NormalizationData.TrailCount) / NormalizationData.TrailCount;
            var trail = index % NormalizationData.TrailCount;
            if (trail > 0) to[2] = NormalizationData.TrailBase + trail;
            return trail > 0 ? 3 : 2;
        }

        var parts = NormalizationData.Decompose(c, compatible);
        if (parts.IsEmpty)
        {
            to[0] = c;
            return 1;
        }

        parts.CopyTo(to);
        return parts.Length;
    }

    /// <summary>Sorts each stretch of combining characters by class, keeping the order of equal ones.</summary>
    private static void Order(NormalizerScratch scratch, int n)
    {
        Span<int> counts = stackalloc int[256];
        for (var i = 0; i < n;)
        {
            if (NormalizationData.CombiningClass(scratch.CodePoints[i]) == 0)
            {
                i++;
                continue;
            }

            var end = i;
            var (last, sorted) = (0, true);
            for (; end < n; end++)
            {
                var combining = NormalizationData.CombiningClass(scratch.CodePoints[end]);
                if (combining == 0) break;
                sorted &= combining >= last;
                last = combining;
            }

            if (!sorted) Sort(scratch, i, end, counts);
            i = end;
        }
    }

    private static void Sort(NormalizerScratch scratch, int start, int end, Span<int> counts)
    {
        counts.Clear();
        for (var i = start; i < end; i++) counts[NormalizationData.CombiningClass(scratch.CodePoints[i])]++;
        var sum = start;
        for (var c = 0; c < 256; c++) (counts[c], sum) = (sum, sum + counts[c]);
        for (var i = start; i < end; i++)
        {
            var to = counts[NormalizationData.CombiningClass(scratch.CodePoints[i])]++;
            scratch.Sorted[to] = scratch.CodePoints[i];
            scratch.SortedTrust[to] = scratch.Trust[i];
        }

        scratch.Sorted.AsSpan(start, end - start).CopyTo(scratch.CodePoints.AsSpan(start));
        scratch.SortedTrust.AsSpan(start, end - start).CopyTo(scratch.Trust.AsSpan(start));
    }

    /// <summary>A composed character is trusted only if all its parts are.</summary>
    private static int Compose(NormalizerScratch scratch, int n)
    {
        var codePoints = scratch.CodePoints;
        var (starter, count, last) = (-1, 0, -1);
        for (var i = 0; i < n; i++)
        {
            var c = codePoints[i];
            var combining = NormalizationData.CombiningClass(c);
            // Blocked if something between has the same class or a higher one (last is -1 right after the starter).
            if (starter >= 0 && last < combining && NormalizationData.Compose(codePoints[starter], c) is var composed and >= 0)
            {
                codePoints[starter] = composed;
                scratch.Trust[starter] &= scratch.Trust[i];
                continue;
            }

            if (combining == 0)
            {
                starter = count;
                last = -1;
            }
            else
            {
                last = combining;
            }

            codePoints[count] = c;
            scratch.Trust[count++] = scratch.Trust[i];
        }

        return count;
    }
}
