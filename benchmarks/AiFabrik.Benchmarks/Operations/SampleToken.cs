using AiFabrik.Engine.Sampling;

namespace AiFabrik.Benchmarks.Operations;

/// <summary>Draws one token of the default model's vocabulary with the usual settings.</summary>
internal sealed class SampleToken : Operation
{
    private readonly float[] _source = new float[49_152];
    private readonly float[] _logits = new float[49_152];
    private readonly int[] _history = Enumerable.Range(0, 512).ToArray();
    private readonly Sampler _sampler = new(49_152);

    public SampleToken()
    {
        var random = new Random(1);
        for (var i = 0; i < _source.Length; i++) _source[i] = (float)(random.NextDouble() * 20 - 10);
    }

    public override string Name => "sample-token";

    public override void Run()
    {
        _source.CopyTo(_logits, 0);
        var input = new SamplingInput { Parameters = new SamplingParameters { Temperature = 0.7f, TopP = 0.9f, TopK = 40, RepetitionPenalty = 1.1f }, History = _history, PromptLength = 256, Seed = 7 };
        _sampler.Sample(_logits, in input, out _, [], out _);
    }

    protected override void Dispose(bool disposing)
    {
        _sampler.Dispose();
        base.Dispose(disposing);
    }
}
