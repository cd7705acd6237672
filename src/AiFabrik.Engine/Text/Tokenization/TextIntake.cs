using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text;

/// <summary>Takes a text in: a copy that is well-formed UTF-8, with trust byte by byte where it differs.</summary>
internal static class TextIntake
{
    /// <param name="isTrusted">Set to what all runs agree on, if they do.</param>
    internal static void Read(ReadOnlySpan<byte> text, ReadOnlySpan<TextRun> runs, TextBuffer to, ref bool isTrusted)
    {
        var (anyTrusted, anyOther) = (false, false);
        foreach (var run in runs)
        {
            anyTrusted |= run.IsTrusted && run.Length > 0;
            anyOther |= !run.IsTrusted && run.Length > 0;
        }

        if (!runs.IsEmpty) isTrusted = anyTrusted && !anyOther;
        var tracks = anyTrusted && anyOther;
        to.Reset(tracks);
        if (System.Text.Unicode.Utf8.IsValid(text)) to.Append(text);
        else Repair(text, to, runs, tracks);
        if (!tracks || to.Length != text.Length || !text.SequenceEqual(to.Span)) return;
        var at = 0;
        foreach (var run in runs)
        {
            var length = Math.Min(run.Length, to.Length - at);
            to.SetTrust(at, length, run.IsTrusted ? (byte)1 : (byte)0);
            at += length;
        }
    }

    private static void Repair(ReadOnlySpan<byte> text, TextBuffer to, ReadOnlySpan<TextRun> runs, bool tracks)
    {
        var (run, runEnd) = (-1, 0);
        for (var at = 0; at < text.Length;)
        {
            while (tracks && at >= runEnd && run + 1 < runs.Length) runEnd += runs[++run].Length;
            var trust = tracks && run < runs.Length && runs[run].IsTrusted ? (byte)1 : (byte)0;
            var length = Utf8Text.Inspect(text[at..]);
            if (length == 0) length = at - text.Length;
            if (length > 0) to.Append(text.Slice(at, length), trust);
            else to.Append("\uFFFD"u8, trust);
            at += Math.Abs(length);
        }
    }
}
