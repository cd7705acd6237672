namespace AiFabrik.Engine.Text.Tokenization.Steps;

internal enum PrependScheme
{
    /// <summary>Before every piece that does not start with the replacement.</summary>
    Always,

    /// <summary>Only before the piece that starts the text.</summary>
    First,
    Never,
}

/// <summary>SentencePiece's way with spaces: a visible character in their place and at the start; splits before each.</summary>
internal sealed class MetaspaceStep(byte[] replacement, PrependScheme scheme, bool splits) : PreTokenizer
{
    private readonly Pattern _pattern = Pattern.OfLiteral(replacement);

    internal override void Split(ref Pipeline pipeline, int level, Piece piece)
    {
        var changed = pipeline.Scratch.Step(level).Changed;
        changed.Reset();
        var text = piece.Span;
        var starts = text[0] == ' ' || text.StartsWith(replacement);
        if (!starts && (scheme == PrependScheme.Always || (scheme == PrependScheme.First && piece.IsFirst))) changed.Append(replacement);
        while (!text.IsEmpty)
        {
            var space = text.IndexOf((byte)' ');
            changed.Append(space < 0 ? text : text[..space]);
            if (space < 0) break;
            changed.Append(replacement);
            text = text[(space + 1)..];
        }

        piece = new Piece(changed.Data, 0, changed.Length, piece.IsFirst);
        if (splits) SplitStep.Split(ref pipeline, level, piece, _pattern, SplitBehavior.MergedWithNext, false);
        else pipeline.Pass(level + 1, piece);
    }
}
