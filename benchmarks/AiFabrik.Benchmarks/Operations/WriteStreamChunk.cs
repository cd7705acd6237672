using System.IO.Pipelines;
using AiFabrik.Engine.Sampling;
using AiFabrik.Engine.Scheduling;
using AiFabrik.Host.Http;
using AiFabrik.Host.Http.Requests;
using AiFabrik.Host.Http.Responses;

namespace AiFabrik.Benchmarks.Operations;

/// <summary>One server-sent event, with or without log-probabilities, into a pipe over the wiping pool.</summary>
internal sealed class WriteStreamChunk : Operation
{
    private readonly bool _logprobs;
    private readonly RequestFields _fields = new(new HttpLimits());
    private readonly WipingMemoryPool _pool = new();
    private readonly Pipe _pipe;
    private readonly AnswerWriter _writer;
    private readonly TokenLogprob[] _top = [new(100, -0.25f), new(200, -2.5f), new(300, -4.75f)];

    public WriteStreamChunk(bool logprobs)
    {
        _logprobs = logprobs;
        _fields.Logprobs = logprobs;
        _pipe = new Pipe(new PipeOptions(_pool, useSynchronizationContext: false));
        var output = new JsonOutput();
        output.Attach(_pipe.Writer);
        _writer = new AnswerWriter(output, DefaultModel.Instance.Tokenizer, "SmolLM2-135M-Instruct-Q4_1"u8.ToArray(), choicesMax: 1);
        _writer.Begin(AnswerKind.Chat, default);
    }

    public override string Name => _logprobs ? "write-logprobs-chunk" : "write-stream-chunk";

    public override void Run()
    {
        var e = new GenerationEvent { Choice = 0, Token = 100, Logprob = -0.25f, TopLogprobs = _logprobs ? _top : [], Text = " bicycle"u8 };
        StreamAnswer.Chunk(_writer, AnswerKind.Chat, _fields, in e);
        var flushed = _pipe.Writer.FlushAsync();
        if (!flushed.IsCompletedSuccessfully || !_pipe.Reader.TryRead(out var result)) throw new InvalidOperationException("the pipe is not synchronous");
        _pipe.Reader.AdvanceTo(result.Buffer.End);
    }

    protected override void Dispose(bool disposing)
    {
        _pool.Dispose();
        base.Dispose(disposing);
    }
}
