namespace AiFabrik.Engine.Text.Tokenization.Json;

/// <summary>Why a tokenizer can't be loaded: one sentence. Thrown and caught within loading only.</summary>
internal sealed class RefusedException(string message) : Exception(message)
{
    internal static RefusedException Unsupported(string what) => new($"The tokenizer uses {what}, which is not supported.");
}
