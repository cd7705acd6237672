using AiFabrik.Engine.Scheduling;
using AiFabrik.Host.Http.Requests;

namespace AiFabrik.Host.Http.Responses;

/// <summary>Step 8 without streaming: the whole answer as one JSON object.</summary>
internal static class WholeAnswer
{
    /// <summary>Collects all events. Not complete: the client went away, or a choice ended with an error.</summary>
    public static async ValueTask<(bool Complete, ApiError Error)> CollectAsync(Generation generation, AnswerLog log, CancellationToken aborted)
    {
        while (await generation.WaitAsync(aborted).ConfigureAwait(false))
        {
            var error = Drain(generation, log);
            if (error.IsError) return (false, error);
        }
        return (!aborted.IsCancellationRequested, ApiError.None);
    }

    private static ApiError Drain(Generation generation, AnswerLog log)
    {
        while (generation.TryRead(out var e))
        {
            if (e.Finish == FinishReason.Error) return new(ApiErrorKind.Internal, null, "The model failed while it answered. Nothing was kept; try again.");
            if (!log.TryAppend(in e)) return new(ApiErrorKind.Internal, null, "The answer outgrew its memory. Ask for it as a stream.");
        }
        return ApiError.None;
    }

    public static void Write(AnswerWriter writer, AnswerKind kind, RequestFields fields, AnswerLog log, Generation generation, ReadOnlySpan<byte> echo)
    {
        var output = writer.Output;
        writer.Head(isChunk: false);
        output.Raw("\"choices\":["u8);
        for (var choice = 0; choice < fields.Choices; choice++)
        {
            output.Raw(choice > 0 ? ",{\"index\":"u8 : "{\"index\":"u8).Number((long)choice);
            output.Raw(kind == AnswerKind.Chat ? ",\"message\":{\"role\":\"assistant\",\"content\":"u8 : ",\"text\":"u8);
            var finish = Text(writer, log, choice, kind == AnswerKind.Text ? echo : default);
            output.Raw(kind == AnswerKind.Chat ? ",\"refusal\":null},\"logprobs\":"u8 : ",\"logprobs\":"u8);
            if (!fields.Logprobs) output.Raw("null"u8);
            else if (kind == AnswerKind.Chat) ChatLogprobs(writer, log, choice);
            else TextLogprobs(writer, log, choice, AnswerWriter.Characters(echo));
            output.Raw(","u8);
            writer.FinishReason(FinishNames.Of(finish));
            output.Raw("}"u8);
        }
        output.Raw("],"u8);
        writer.Usage(generation.PromptTokens, generation.CompletionTokens);
        output.Raw("}"u8);
    }

    /// <summary>The texts of a choice's tokens as one JSON string.</summary>
    private static FinishReason Text(AnswerWriter writer, AnswerLog log, int choice, ReadOnlySpan<byte> echo)
    {
        var output = writer.Output.Raw("\""u8);
        if (!echo.IsEmpty) output.TextInside(echo);
        var finish = FinishReason.None;
        var position = 0;
        while (log.TryNext(choice, ref position, out var token, out var reason))
        {
            output.TextInside(token.Text);
            if (reason != FinishReason.None) finish = reason;
        }
        output.Raw("\""u8);
        return finish;
    }

    private static void ChatLogprobs(AnswerWriter writer, AnswerLog log, int choice)
    {
        writer.Output.Raw("{\"content\":["u8);
        var position = 0;
        for (var first = true; log.TryNext(choice, ref position, out var token, out _);)
        {
            if (token.Token < 0) continue;
            if (!first) writer.Output.Raw(","u8);
            first = false;
            writer.ChatLogprob(in token);
        }
        writer.Output.Raw("],\"refusal\":null}"u8);
    }

    private enum Column
    {
        Tokens,
        TokenLogprobs,
        TopLogprobs,
        TextOffset,
    }

    private static void TextLogprobs(AnswerWriter writer, AnswerLog log, int choice, int firstOffset)
    {
        var output = writer.Output.Raw("{\"tokens\":["u8);
        TextColumn(writer, log, choice, Column.Tokens, firstOffset);
        output.Raw("],\"token_logprobs\":["u8);
        TextColumn(writer, log, choice, Column.TokenLogprobs, firstOffset);
        output.Raw("],\"top_logprobs\":["u8);
        TextColumn(writer, log, choice, Column.TopLogprobs, firstOffset);
        output.Raw("],\"text_offset\":["u8);
        TextColumn(writer, log, choice, Column.TextOffset, firstOffset);
        output.Raw("]}"u8);
    }

    private static void TextColumn(AnswerWriter writer, AnswerLog log, int choice, Column column, int offset)
    {
        var position = 0;
        for (var first = true; log.TryNext(choice, ref position, out var token, out _);)
        {
            if (token.Token < 0) continue;
            if (!first) writer.Output.Raw(","u8);
            first = false;
            switch (column)
            {
                case Column.Tokens: writer.TokenText(token.Token); break;
                case Column.TokenLogprobs: writer.Output.Number(token.Logprob); break;
                case Column.TopLogprobs: writer.TopLogprobMap(in token); break;
                default: writer.Output.Number((long)offset); break;
            }
            offset += AnswerWriter.Characters(token.Text);
        }
    }
}
