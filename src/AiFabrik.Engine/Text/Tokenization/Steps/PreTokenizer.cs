using AiFabrik.Engine.Text.Tokenization.Bpe;

namespace AiFabrik.Engine.Text.Tokenization.Steps;

/// <summary>A piece of a buffer.</summary>
/// <param name="IsFirst">Whether it starts where the whole text starts.</param>
internal readonly record struct Piece(byte[] Buffer, int Start, int Length, bool IsFirst)
{
    internal ReadOnlySpan<byte> Span => Buffer.AsSpan(Start, Length);
}

/// <summary>A step of the pre-tokenizer: gives the parts of a piece to the next step, one after the other.</summary>
internal abstract class PreTokenizer
{
    internal abstract void Split(ref Pipeline pipeline, int level, Piece piece);
}

/// <summary>The steps from a piece to ids.</summary>
internal ref struct Pipeline(PreTokenizer[] steps, BpeModel model, TokenizerScratch scratch, IdSink sink, bool unmaps)
{
    private readonly PreTokenizer[] _steps = steps;
    private readonly BpeModel _model = model;

    /// <summary>Whether pieces reach the model as characters that stand for bytes.</summary>
    private readonly bool _unmaps = unmaps;
    internal readonly TokenizerScratch Scratch = scratch;
    internal IdSink Sink = sink;

    internal void Pass(int level, Piece piece)
    {
        if (piece.Length == 0) return;
        if (level < _steps.Length)
        {
            _steps[level].Split(ref this, level, piece);
            return;
        }

        if (_unmaps)
        {
            var raw = Scratch.Unmapped;
            raw.Reset();
            ByteAlphabet.Unmap(piece.Span, raw);
            piece = new Piece(raw.Data, 0, raw.Length, false);
        }

        _model.Encode(Scratch.Bpe, ref Sink, piece.Buffer, piece.Start, piece.Length);
    }
}
