using AiFabrik.Engine.Text.Tokenization.Regex;

namespace AiFabrik.Engine.Text.Tokenization.Steps;

/// <summary>
/// GPT-2's step: a space before a piece that has none, and GPT-2's expression. The bytes stay as they are, as the model
/// works on them; where later steps follow, a <see cref="ByteMapStep"/> turns them into the characters that those see.
/// </summary>
internal sealed class ByteLevelStep(bool addsPrefixSpace, bool usesRegex) : PreTokenizer
{
    private const string Expression = @"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+";
    private static readonly Pattern Words = Pattern.OfRegex(RegexProgram.TryCompile(Expression, out var program, out var error) ? program : throw new InvalidOperationException(error));

    internal override void Split(ref Pipeline pipeline, int level, Piece piece)
    {
        if (addsPrefixSpace && piece.Span[0] != ' ')
        {
            var changed = pipeline.Scratch.Step(level).Changed;
            changed.Reset();
            changed.Append(" "u8);
            changed.Append(piece.Span);
            piece = new Piece(changed.Data, 0, changed.Length, piece.IsFirst);
        }

        if (usesRegex) SplitStep.Split(ref pipeline, level, piece, Words, SplitBehavior.Isolated, false);
        else pipeline.Pass(level + 1, piece);
    }
}

/// <summary>Turns a piece into characters that stand for its bytes.</summary>
internal sealed class ByteMapStep : PreTokenizer
{
    internal override void Split(ref Pipeline pipeline, int level, Piece piece)
    {
        var mapped = pipeline.Scratch.Step(level).Mapped;
        mapped.Reset();
        ByteAlphabet.Map(piece.Span, mapped);
        pipeline.Pass(level + 1, new Piece(mapped.Data, 0, mapped.Length, piece.IsFirst));
    }
}
