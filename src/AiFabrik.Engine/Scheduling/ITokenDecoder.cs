namespace AiFabrik.Engine.Scheduling;

/// <summary>
/// Turns a sequence's tokens into UTF-8, whole characters only: an unfinished one is held back, each maximal ill-formed part becomes U+FFFD.
/// One per sequence, reused. Implemented over the tokenizer's incremental decoder, and by the tests' artificial vocabulary.
/// </summary>
public interface ITokenDecoder
{
    /// <summary>Bytes that one call may write at most.</summary>
    int MaxBytes { get; }

    /// <summary>Forgets (and zeroes) what was held back.</summary>
    void Reset();

    /// <summary>The text that is certain once <paramref name="id"/> is there. False if <paramref name="output"/> is too small.</summary>
    bool TryAppend(int id, Span<byte> output, out int written);

    /// <summary>What is still held back, as the text has ended.</summary>
    bool TryFlush(Span<byte> output, out int written);
}
