namespace AiFabrik.Engine.Text.Tokenization.Steps;

/// <summary>What becomes of the matches.</summary>
internal enum SplitBehavior
{
    Removed,
    Isolated,
    MergedWithPrevious,
    MergedWithNext,
    Contiguous,
}

/// <summary>Splits at the matches of a pattern; inverted, at what lies between them.</summary>
internal sealed class SplitStep(Pattern pattern, SplitBehavior behavior, bool inverted) : PreTokenizer
{
    internal override void Split(ref Pipeline pipeline, int level, Piece piece) =>
        Split(ref pipeline, level, piece, pattern, behavior, inverted);

    internal static void Split(ref Pipeline pipeline, int level, Piece piece, Pattern pattern, SplitBehavior behavior, bool inverted)
    {
        var text = piece.Span;
        var matches = new PatternMatches(pattern, text, pipeline.Scratch.Step(level).Regex);
        var joiner = new Joiner(level, piece, behavior);
        var done = 0;
        while (matches.TryNext(text, out var start, out var end))
        {
            if (done != start) joiner.Add(ref pipeline, done, start, inverted);
            joiner.Add(ref pipeline, start, end, !inverted);
            done = end;
        }

        if (done != text.Length) joiner.Add(ref pipeline, done, text.Length, inverted);
        joiner.Flush(ref pipeline);
    }

    /// <summary>Joins matches and the stretches between them as the behaviour says.</summary>
    private struct Joiner(int level, Piece piece, SplitBehavior behavior)
    {
        private int _start = -1, _end;
        private bool _previousIsMatch;

        internal void Add(ref Pipeline pipeline, int start, int end, bool isMatch)
        {
            switch (behavior)
            {
                case SplitBehavior.Isolated:
                    Pass(ref pipeline, start, end);
                    return;
                case SplitBehavior.Removed:
                    if (!isMatch) Pass(ref pipeline, start, end);
                    return;
            }

            var joins = _start >= 0 && behavior switch
            {
                SplitBehavior.MergedWithPrevious => isMatch && !_previousIsMatch,
                SplitBehavior.MergedWithNext => !isMatch && _previousIsMatch,
                _ => isMatch == _previousIsMatch,
            };
            if (!joins)
            {
                Flush(ref pipeline);
                _start = start;
            }

            _end = end;
            _previousIsMatch = isMatch;
        }

        internal void Flush(ref Pipeline pipeline)
        {
            if (_start >= 0) Pass(ref pipeline, _start, _end);
            _start = -1;
        }

        private readonly void Pass(ref Pipeline pipeline, int start, int end) =>
            pipeline.Pass(level + 1, new Piece(piece.Buffer, piece.Start + start, end - start, piece.IsFirst && start == 0));
    }
}
