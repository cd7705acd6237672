using AiFabrik.Engine.Text;

namespace AiFabrik.Engine.Scheduling;

/// <summary>A sequence's decoder over the model's tokenizer: <c>() =&gt; new TokenizerDecoder(tokenizer.CreateDecoder(skipSpecial: true))</c>.</summary>
public sealed class TokenizerDecoder(IncrementalDecoder decoder) : ITokenDecoder
{
    public int MaxBytes => decoder.BytesPerCallMax;

    public void Reset() => decoder.Reset();

    public bool TryAppend(int id, Span<byte> output, out int written) => decoder.TryAppend(id, output, out written);

    public bool TryFlush(Span<byte> output, out int written) => decoder.TryFlush(output, out written);
}
