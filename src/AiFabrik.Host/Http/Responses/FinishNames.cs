using AiFabrik.Engine.Scheduling;

namespace AiFabrik.Host.Http.Responses;

/// <summary>OpenAI's names of why a choice ended.</summary>
internal static class FinishNames
{
    public static ReadOnlySpan<byte> Of(FinishReason reason) => reason switch
    {
        FinishReason.Stop => "stop"u8,
        FinishReason.Length => "length"u8,
        _ => default,
    };
}
