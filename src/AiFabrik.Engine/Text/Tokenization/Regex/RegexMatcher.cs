using System.Numerics;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Regex;

/// <summary>
/// Backtracking over well-formed UTF-8 that remembers what failed. A loop over one class remembers the stretch of places
/// from which what follows it has failed; other choices remember single places once an expression turns out to be
/// expensive. So the time is bounded by the text's length times the program's.
/// </summary>
internal static class RegexMatcher
{
    /// <summary>The leftmost match that starts at <paramref name="from"/> or later. Begin the scratch on the text first.</summary>
    internal static bool TryFind(RegexProgram program, RegexScratch scratch, ReadOnlySpan<byte> text, int from, out int start, out int end)
    {
        var first = program.StartFirst;
        for (start = from; start < text.Length; start += Utf8Text.Length(text[start]))
        {
            if (!first[text[start]]) continue;
            end = Run(program, scratch, text, program.Start, start);
            if (end >= 0) return true;
        }

        end = -1;
        if (start == text.Length && first[256]) end = Run(program, scratch, text, program.Start, start);
        return end >= 0;
    }

    private static int Run(RegexProgram program, RegexScratch scratch, ReadOnlySpan<byte> text, int pc, int at)
    {
        var code = program.Code;
        var bottom = scratch.Top;
        while (true)
        {
            scratch.Work++;
            var i = code[pc];
            var matched = true;
            switch (i.Op)
            {
                case RegexOp.One:
                    var length = i.Class!.Match(text, at);
                    matched = length > 0;
                    at += length;
                    pc = i.Next;
                    break;
                case RegexOp.Loop:
                    matched = EnterLoop(program, i, pc, scratch, text, ref at);
                    pc = i.Next;
                    break;
                case RegexOp.Alternatives:
                    matched = EnterChoice(program, i, scratch, text, at, ref pc);
                    break;
                case RegexOp.LookAheadOne:
                    matched = i.Class!.Match(text, at) > 0 != i.Negative;
                    pc = i.Next;
                    break;
                case RegexOp.Accept:
                    scratch.Top = bottom;
                    return at;
                case RegexOp.Atomic:
                    at = Run(program, scratch, text, i.Body, at);
                    matched = at >= 0;
                    pc = i.Next;
                    break;
                case RegexOp.Assert:
                    matched = Holds(program, i.Assert, text, at);
                    pc = i.Next;
                    break;
                default:
                    matched = Look(program, scratch, text, i, at) != i.Negative;
                    pc = i.Next;
                    break;
            }

            if (!matched && !TryBacktrack(program, scratch, text, bottom, ref pc, ref at)) return -1;
        }
    }

    private static bool EnterChoice(RegexProgram program, RegexInstruction i, RegexScratch scratch, ReadOnlySpan<byte> text, int at, ref int pc)
    {
        var mask = i.Dispatch[at < text.Length ? text[at] : 256];
        if (mask == 0) return false;
        var rest = mask & (mask - 1);
        // Counted here too: where the next byte tells which way to go, there is nothing to come back to.
        scratch.CountStep(program);
        if (scratch.Remembers)
        {
            if (scratch.HasFailed(i.ChoiceIndex, at)) return false;
            scratch.Push(~i.ChoiceIndex, at, 0, 0);
        }

        if (rest != 0) scratch.Push(pc, at, (int)rest, (int)(rest >> 32));
        pc = i.Targets[BitOperations.TrailingZeroCount(mask)];
        return true;
    }

    /// <summary>Takes as much as the loop may; leaves a note on the stack of the shorter (or longer, if lazy) forms.</summary>
    private static bool EnterLoop(RegexProgram program, RegexInstruction i, int pc, RegexScratch scratch, ReadOnlySpan<byte> text, ref int at)
    {
        var count = 0;
        var entered = at;
        for (; count < i.Min; count++)
        {
            var length = i.Class!.Match(text, at);
            if (length == 0) return false;
            at += length;
        }

        var least = at;
        if (i.Max >= 0)
        {
            scratch.CountStep(program);
            if (scratch.Remembers)
            {
                if (scratch.HasFailed(i.ChoiceIndex, entered)) return false;
                scratch.Push(~i.ChoiceIndex, entered, 0, 0);
            }

            if (i.Mode == RepeatMode.Lazy)
            {
                scratch.Push(pc, at, least, count);
                return true;
            }

            for (; count < i.Max; count++)
            {
                var length = i.Class!.Match(text, at);
                if (length == 0) break;
                at += length;
            }

            scratch.Work += at - entered;
            if (at > least && !i.NeverShorter) scratch.Push(pc, at, least, at);
            return true;
        }

        var failedFrom = scratch.LoopFailures[i.LoopIndex * 2];
        var failedTo = scratch.LoopFailures[i.LoopIndex * 2 + 1];
        if (least >= failedFrom && least <= failedTo && failedFrom >= 0) return false;
        if (i.Mode == RepeatMode.Lazy)
        {
            scratch.Push(pc, at, least, count);
            return true;
        }

        var stop = failedFrom > least ? failedFrom : text.Length;
        var end = i.Class!.Run(text, at, stop);
        scratch.Work += end - at;
        var most = end;
        if (end == failedFrom && failedFrom > least)
        {
            // From here on every way out is known to fail; a possessive loop has only the one at the very end.
            most = failedTo;
            if (i.NeverShorter)
            {
                // The stretch grows, so that the next place before it need not go through this one again.
                SetLoopFailed(i, scratch, least, failedTo);
                return false;
            }

            end = Utf8Text.Previous(text, end);
        }

        if (i.NeverShorter)
        {
            if (end - least > 16) scratch.Push(pc, least, least, most);
        }
        else if (most > least)
        {
            scratch.Push(pc, end, least, most);
        }

        at = end;
        return true;
    }

    private static bool TryBacktrack(RegexProgram program, RegexScratch scratch, ReadOnlySpan<byte> text, int bottom, ref int pc, ref int at)
    {
        while (scratch.Top > bottom)
        {
            scratch.CountStep(program);
            var top = scratch.Top -= 4;
            var s = scratch.Stack;
            var (where, from, a, b) = (s[top], s[top + 1], s[top + 2], s[top + 3]);
            if (where < 0)
            {
                scratch.SetFailed(~where, from);
                continue;
            }

            var i = program.Code[where];
            if (i.Op == RegexOp.Alternatives)
            {
                var mask = (uint)a | (ulong)(uint)b << 32;
                var rest = mask & (mask - 1);
                if (rest != 0) scratch.Push(where, from, (int)rest, (int)(rest >> 32));
                pc = i.Targets[BitOperations.TrailingZeroCount(mask)];
                at = from;
                return true;
            }

            if (i.Mode == RepeatMode.Lazy ? TryLonger(i, where, scratch, text, from, a, b, out at) : TryShorter(i, where, scratch, text, from, a, b, out at))
            {
                pc = i.Next;
                return true;
            }
        }

        return false;
    }

    private static bool TryShorter(RegexInstruction i, int pc, RegexScratch scratch, ReadOnlySpan<byte> text, int from, int least, int most, out int at)
    {
        at = from;
        while (at > least)
        {
            at = Utf8Text.Previous(text, at);
            if (!i.NextFirst[text[at]]) continue;
            scratch.Push(pc, at, least, most);
            return true;
        }

        if (i.Max < 0) SetLoopFailed(i, scratch, least, most);
        return false;
    }

    private static bool TryLonger(RegexInstruction i, int pc, RegexScratch scratch, ReadOnlySpan<byte> text, int from, int least, int count, out int at)
    {
        at = from;
        var failedFrom = i.Max < 0 ? scratch.LoopFailures[i.LoopIndex * 2] : -1;
        while (i.Max < 0 || count < i.Max)
        {
            var length = i.Class!.Match(text, at);
            if (length == 0) break;
            at += length;
            count++;
            if (at == failedFrom)
            {
                SetLoopFailed(i, scratch, least, scratch.LoopFailures[i.LoopIndex * 2 + 1]);
                return false;
            }

            if (!i.NextFirst[at < text.Length ? text[at] : 256]) continue;
            scratch.Push(pc, at, least, count);
            return true;
        }

        if (i.Max < 0) SetLoopFailed(i, scratch, least, at);
        return false;
    }

    private static void SetLoopFailed(RegexInstruction i, RegexScratch scratch, int from, int to)
    {
        scratch.LoopFailures[i.LoopIndex * 2] = from;
        scratch.LoopFailures[i.LoopIndex * 2 + 1] = to;
    }

    private static bool Look(RegexProgram program, RegexScratch scratch, ReadOnlySpan<byte> text, RegexInstruction i, int at)
    {
        if (i.Op == RegexOp.LookBehind)
        {
            for (var n = 0; n < i.Min; n++)
            {
                if (at == 0) return false;
                at = Utf8Text.Previous(text, at);
            }
        }

        return Run(program, scratch, text, i.Body, at) >= 0;
    }

    private static bool Holds(RegexProgram program, AssertKind kind, ReadOnlySpan<byte> text, int at)
    {
        switch (kind)
        {
            case AssertKind.TextStart: return at == 0;
            case AssertKind.TextEnd: return at == text.Length;
            case AssertKind.TextEndOrFinalNewline: return at == text.Length || (at == text.Length - 1 && text[at] == '\n');
            case AssertKind.LineStart: return at == 0 || (at < text.Length && text[at - 1] == '\n');
            case AssertKind.LineEnd: return at == text.Length || text[at] == '\n';
            default:
                var word = program.WordClass!;
                var before = at > 0 && word.Match(text, Utf8Text.Previous(text, at)) > 0;
                return (before != word.Match(text, at) > 0) == (kind == AssertKind.WordBorder);
        }
    }
}
