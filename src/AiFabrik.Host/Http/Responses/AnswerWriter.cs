using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Http.Responses;

/// <summary>Which of OpenAI's two answers is written.</summary>
internal enum AnswerKind
{
    Chat,
    Text,
}

/// <summary>One token of a choice as the writers see it.</summary>
internal readonly ref struct AnswerToken
{
    public int Choice { get; init; }
    public int Token { get; init; }
    public float Logprob { get; init; }
    public ReadOnlySpan<TokenLogprob> TopLogprobs { get; init; }
    public ReadOnlySpan<byte> Text { get; init; }
}

/// <summary>
/// The pieces that OpenAI's objects are made of (API reference, "The chat completion object", "chunk object", "completion object").
/// Knows JSON, not streams: <see cref="StreamAnswer"/> and <see cref="WholeAnswer"/> decide what comes when.
/// </summary>
internal sealed class AnswerWriter(JsonOutput output, Tokenizer tokenizer, byte[] modelId, int choicesMax)
{
    private static readonly byte[] IdAlphabet = "0123456789abcdefghijklmnopqrstuvwxyz"u8.ToArray();
    private readonly byte[] _id = new byte[24];
    private readonly int[] _offsets = new int[choicesMax];
    private long _created;
    private AnswerKind _kind;

    public JsonOutput Output { get; } = output;

    /// <summary>Characters of a choice's text that have been written: where its next token begins.</summary>
    public Span<int> TextOffsets => _offsets;

    /// <summary>A new answer: a fresh random id and the time. <paramref name="echo"/> is what every choice's text begins with.</summary>
    public void Begin(AnswerKind kind, ReadOnlySpan<byte> echo)
    {
        TextOffsets.Fill(Characters(echo));
        _kind = kind;
        _created = DateTimeOffset.UtcNow.ToUnixTimeSeconds();
        System.Security.Cryptography.RandomNumberGenerator.GetItems<byte>(IdAlphabet, _id);
    }

    /// <summary>{"id":…,"object":…,"created":…,"model":…,</summary>
    public void Head(bool isChunk)
    {
        Output.Raw(_kind == AnswerKind.Chat ? "{\"id\":\"chatcmpl-"u8 : "{\"id\":\"cmpl-"u8).Raw(_id);
        Output.Raw((_kind, isChunk) switch
        {
            (AnswerKind.Chat, true) => "\",\"object\":\"chat.completion.chunk\",\"created\":"u8,
            (AnswerKind.Chat, false) => "\",\"object\":\"chat.completion\",\"created\":"u8,
            _ => "\",\"object\":\"text_completion\",\"created\":"u8,
        });
        Output.Number(_created).Raw(",\"model\":"u8).Text(modelId).Raw(",\"system_fingerprint\":null,"u8);
    }

    public void Usage(int promptTokens, int completionTokens)
    {
        Output.Raw("\"usage\":{\"prompt_tokens\":"u8).Number((long)promptTokens);
        Output.Raw(",\"completion_tokens\":"u8).Number((long)completionTokens);
        Output.Raw(",\"total_tokens\":"u8).Number((long)promptTokens + completionTokens).Raw("}"u8);
    }

    /// <summary>"finish_reason":…</summary>
    public void FinishReason(ReadOnlySpan<byte> reason)
    {
        Output.Raw("\"finish_reason\":"u8);
        if (reason.IsEmpty) Output.Raw("null"u8);
        else Output.Text(reason);
    }

    /// <summary>One entry of a chat answer's logprobs.content.</summary>
    public void ChatLogprob(in AnswerToken token)
    {
        Output.Raw("{"u8);
        TokenAndLogprob(token.Token, token.Logprob);
        Output.Raw(",\"top_logprobs\":["u8);
        for (var i = 0; i < token.TopLogprobs.Length; i++)
        {
            Output.Raw(i > 0 ? ",{"u8 : "{"u8);
            TokenAndLogprob(token.TopLogprobs[i].Token, token.TopLogprobs[i].Logprob);
            Output.Raw("}"u8);
        }
        Output.Raw("]}"u8);
    }

    /// <summary>A token's own text; ill-formed parts become U+FFFD.</summary>
    public void TokenText(int token) => Output.Text(tokenizer.TokenBytes(token));

    /// <summary>{"token text": logprob, …} of a text completion.</summary>
    public void TopLogprobMap(in AnswerToken token)
    {
        Output.Raw("{"u8);
        for (var i = 0; i < token.TopLogprobs.Length; i++)
        {
            if (i > 0) Output.Raw(","u8);
            TokenText(token.TopLogprobs[i].Token);
            Output.Raw(":"u8).Number(token.TopLogprobs[i].Logprob);
        }
        Output.Raw("}"u8);
    }

    /// <summary>Characters (code points) of a text, as text_offset counts them. The text's characters are whole.</summary>
    public static int Characters(ReadOnlySpan<byte> text)
    {
        var count = 0;
        foreach (var b in text) count += (b & 0xC0) != 0x80 ? 1 : 0;
        return count;
    }

    private void TokenAndLogprob(int token, float logprob)
    {
        Output.Raw("\"token\":"u8);
        TokenText(token);
        Output.Raw(",\"logprob\":"u8).Number(logprob).Raw(",\"bytes\":"u8).ByteArray(tokenizer.TokenBytes(token));
    }
}
