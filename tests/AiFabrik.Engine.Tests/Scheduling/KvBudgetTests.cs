using AiFabrik.Engine.Scheduling;
using Xunit;

namespace AiFabrik.Engine.Tests.Scheduling;

public sealed class KvBudgetTests
{
    [Fact]
    public void Blocks_fit_the_memory_and_never_exceed_what_can_be_used()
    {
        var program = FakeModel.Program(4096, [0, 128]);
        var options = new EngineOptions { MaxSequences = 8, MaxTokensPerStep = 64 };
        var most = options.Derive(program, long.MaxValue / 4, 2);
        Assert.Equal(4096, most.ContextLen);
        Assert.Equal([8 * 256, 8 * 13], most.BlocksPerGroup);

        long Bytes(EngineOptions o) => o.BlocksPerGroup.Select((b, g) => b * KvBudget.BlockBytes(program, g, 16, 2)).Sum();
        Assert.Equal(16 * 2 * 8 * 2, KvBudget.BlockBytes(program, 0, 16, 2));
        for (var memory = 1L << 14; memory < Bytes(most); memory += memory / 3)
        {
            var derived = options.Derive(program, memory, 2);
            Assert.InRange(Bytes(derived), memory / 3, memory);
            Assert.InRange(derived.ContextLen, 16, 4096);
            // One sequence of the whole context always fits.
            Assert.True(derived.BlocksPerGroup[0] * 16 >= derived.ContextLen);
            Assert.True(derived.BlocksPerGroup[1] >= KvBudget.BlocksPerSequence(128, derived.ContextLen, 64, 16));
            using var executor = new FakeExecutor(program, derived.Limits);
            using var engine = new InferenceEngine(program, executor, () => new FakeDecoder(), [], derived);
            Assert.Equal(derived.ContextLen, engine.ContextLen);
        }
    }

    [Fact]
    public void Contradictions_refuse_to_start()
    {
        var program = FakeModel.Program(256, [0, 64]);
        var good = new EngineOptions { MaxSequences = 4 }.Derive(program, long.MaxValue / 4, 4);
        EngineOptions[] bad = [good with { BlocksPerGroup = [10] }, good with { BlocksPerGroup = [10, 2] }, good with { MaxTokensPerStep = 3 }, good with { RingEvents = 1 }, good with { MaxSequences = 0 }];
        foreach (var options in bad)
        {
            using var executor = new FakeExecutor(program, options.Limits);
            Assert.Throws<ArgumentException>(() => new InferenceEngine(program, executor, () => new FakeDecoder(), [], options));
        }
    }
}
