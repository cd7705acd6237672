using AiFabrik.Compute.Memory;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Sampling;

namespace AiFabrik.Engine.Scheduling;

/// <summary>Draws a sequence's next token and writes what becomes of it, text included, to its reader's ring.</summary>
internal sealed class Emitter : IDisposable
{
    private readonly IExecutor _executor;
    private readonly Sampler _sampler;
    private readonly ContentArena _text;
    private readonly int[] _eos;
    private readonly int _contextLen, _vocabSize;
    private readonly bool _copiesLogits;

    public Emitter(IExecutor executor, int vocabSize, ReadOnlySpan<int> eosTokenIds, int contextLen, SequenceLimits limits)
    {
        (_executor, _contextLen, _vocabSize, _copiesLogits) = (executor, contextLen, vocabSize, executor.Info.CopiesLogits);
        _eos = eosTokenIds.ToArray();
        _sampler = new Sampler(vocabSize);
        _text = new ContentArena(limits.EventTextBytes);
        _text.TryAllocate(limits.EventTextBytes, out _, 1);
    }

    /// <summary>
    /// Says what the sequence's next token needs of its logits: the best token; the best few, where logits would have to be copied from a device and the
    /// draw is the same; else all.
    /// </summary>
    public void Want(Sequence sequence)
    {
        var request = sequence.Generation.Request;
        var sampling = request.Sampling;
        (sequence.Wanted, sequence.TopWanted) = (LogitsWanted.Full, 0);
        var changesLogits = sampling.HasPenalties || request.Bias.Length > 0 ||
            (sequence.CompletionTokens < request.MinTokens && (request.StopTokenIds.Length > 0 || (!request.IgnoreEos && _eos.Length > 0)));
        if (changesLogits) return;
        if (sampling.IsGreedy && !request.Logprobs)
        {
            sequence.Wanted = LogitsWanted.Argmax;
            return;
        }
        var kept = sampling.IsGreedy ? 1 : sampling.TopK > 0 && sampling.TopK < _vocabSize ? sampling.TopK : int.MaxValue;
        var top = Math.Max(kept, request.TopLogprobs);
        if (_copiesLogits && top <= TopLogits.CountMax) (sequence.Wanted, sequence.TopWanted) = (LogitsWanted.Top, top);
    }

    /// <summary>Draws from the sequence's row of the last step, adds the token to its history and writes an event. Returns whether and why it ended.</summary>
    public FinishReason Emit(Sequence sequence)
    {
        var request = sequence.Generation.Request;
        float logprob = 0;
        var topCount = 0;
        int token;
        if (sequence.Wanted == LogitsWanted.Argmax)
        {
            token = _executor.Argmax(sequence.LogitRow);
        }
        else
        {
            var isShort = sequence.CompletionTokens < request.MinTokens;
            var input = new SamplingInput
            {
                Parameters = request.Sampling, History = sequence.History, PromptLength = sequence.PromptLength, Bias = request.Bias,
                Banned = isShort && !request.IgnoreEos ? _eos : [], BannedToo = isShort ? request.StopTokenIds : [],
                Seed = request.Seed, Choice = sequence.Choice, Logprobs = request.Logprobs,
            };
            var top = sequence.Events.NextTop[..request.TopLogprobs];
            token = sequence.Wanted == LogitsWanted.Top
                ? _sampler.SampleTop(_executor.Top(sequence.LogitRow), input, out logprob, top, out topCount)
                : _sampler.Sample(_executor.Logits(sequence.LogitRow), input, out logprob, top, out topCount);
        }

        sequence.Tokens[sequence.Length++] = token;
        sequence.Generation.CountToken();
        var finish = Compose(sequence, token, out var emitted);
        sequence.Events.Write(token, logprob, topCount, _text.Bytes(0, emitted), finish);
        return finish;
    }

    /// <summary>Text that is now certain goes to <see cref="_text"/>, what may be the beginning of a stop string stays with the sequence.</summary>
    private FinishReason Compose(Sequence sequence, int token, out int emitted)
    {
        var request = sequence.Generation.Request;
        var text = _text.Bytes(0, _text.CapacityBytes);
        var length = sequence.HeldBytes;
        sequence.Held[..length].CopyTo(text);
        emitted = 0;

        var finish = FinishReason.None;
        var matched = sequence.StopMatched(sequence.CompletionTokens >= request.MinTokens ? request.StopCount : 0);
        if ((!request.IgnoreEos && _eos.AsSpan().Contains(token)) || request.StopTokenIds.Contains(token))
        {
            finish = FinishReason.Stop;
        }
        else
        {
            if (!sequence.Decoder.TryAppend(token, text[length..], out var written)) finish = FinishReason.Error;
            if (FindStop(request, matched, text, ref length, written)) return End(sequence, FinishReason.Stop, length, out emitted);
            if (finish == FinishReason.None && (sequence.CompletionTokens >= request.MaxTokens || sequence.Length >= _contextLen)) finish = FinishReason.Length;
        }

        if (finish == FinishReason.None)
        {
            sequence.HeldBytes = StopStrings.HeldBytes(matched);
            emitted = length - sequence.HeldBytes;
            text[emitted..length].CopyTo(sequence.Held);
            return finish;
        }
        if (!sequence.Decoder.TryFlush(text[length..], out var flushed)) finish = FinishReason.Error;
        if (FindStop(request, matched, text, ref length, flushed)) finish = FinishReason.Stop;
        return End(sequence, finish, length, out emitted);
    }

    /// <summary>Looks at the <paramref name="written"/> bytes after <paramref name="length"/>. True: the text ends, before the stop string, at <paramref name="length"/>.</summary>
    private static bool FindStop(RequestMemory request, Span<int> matched, ReadOnlySpan<byte> text, ref int length, int written)
    {
        var end = length + written;
        if (matched.Length > 0)
        {
            for (var i = length; i < end; i++)
            {
                var found = StopStrings.Feed(text[i], request.StopBytes, request.StopStarts, request.StopFailure, matched);
                if (found == 0) continue;
                length = i + 1 - found;
                return true;
            }
        }
        length = end;
        return false;
    }

    private static FinishReason End(Sequence sequence, FinishReason finish, int length, out int emitted)
    {
        emitted = length;
        sequence.HeldBytes = 0;
        return finish;
    }

    /// <summary>Zeroes scratch.</summary>
    public void Clear()
    {
        _sampler.Clear();
        _text.Bytes(0, _text.CapacityBytes).Clear();
    }

    public void Dispose()
    {
        _sampler.Dispose();
        _text.Dispose();
    }
}
