using AiFabrik.Engine.Scheduling;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Commands;

/// <summary>The engine's view of the tokenizer's incremental decoder: text for clients, control tokens left out.</summary>
internal sealed class TokenizerDecoder(Tokenizer tokenizer) : ITokenDecoder
{
    private readonly IncrementalDecoder _decoder = tokenizer.CreateDecoder(skipSpecial: true);

    public int MaxBytes => _decoder.BytesPerCallMax;

    public void Reset() => _decoder.Reset();

    public bool TryAppend(int id, Span<byte> output, out int written) => _decoder.TryAppend(id, output, out written);

    public bool TryFlush(Span<byte> output, out int written) => _decoder.TryFlush(output, out written);
}
