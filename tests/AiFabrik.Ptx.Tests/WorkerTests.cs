using Xunit;

namespace AiFabrik.Ptx.Tests;

/// <summary>Blocks of a launch on several threads: nothing that can be seen depends on how many.</summary>
public sealed class WorkerTests
{
    private const string Index = "mov.u32 %r2, %ctaid.x; mov.u32 %r3, %ntid.x; mad.lo.u32 %r4, %r2, %r3, %r0; mad.wide.u32 %rd0, %r4, 4, %o; ";

    private static readonly PtxMachineOptions Many = new() { Workers = 3 };

    [Fact]
    public void Every_block_runs_once()
    {
        string text = Snippet.Kernel(Index + "ld.global.u32 %r5, [%rd0]; add.u32 %r5, %r5, %r4; add.u32 %r5, %r5, 1; st.global.u32 [%rd0], %r5;");
        (PtxResult one, int[] expected) = Snippet.Run(text, 32, words: 320, blocks: 10);
        (PtxResult many, int[] actual) = Snippet.Run(text, 32, words: 320, blocks: 10, options: Many);
        Assert.Equal(Enumerable.Range(1, 320), actual);
        Assert.Equal(expected, actual);
        Assert.Equal(one, many);
    }

    /// <summary>Blocks 4 and up are out of bounds: whichever thread finds it first, block 4 is named.</summary>
    [Fact]
    public void The_first_block_at_fault_is_named()
    {
        string text = Snippet.Kernel(Index + "st.global.u32 [%rd0], %r4;");
        for (int i = 0; i < 20; i++)
        {
            PtxFault? fault = Snippet.Run(text, 32, words: 128, blocks: 50, options: Many).Result.Fault;
            Assert.Equal((PtxFaultKind.OutOfBounds, 4), (fault!.Kind, fault.Block.X));
        }
    }

    [Fact]
    public void Races_within_a_block_are_found_on_every_thread()
    {
        string text = Snippet.Kernel(Index + "setp.lt.u32 %p0, %r2, 2; @%p0 bra END; st.global.u32 [%o], %r0; END:");
        PtxFault? fault = Snippet.Run(text, 32, words: 128, blocks: 4, options: Many).Result.Fault;
        Assert.Equal((PtxFaultKind.Race, 2), (fault!.Kind, fault.Block.X));
    }

    [Fact]
    public void Blocks_meet_in_atomics()
    {
        int[] words = Snippet.Run(Snippet.Kernel("red.global.add.u32 [%o], 1;"), 64, blocks: 40, options: Many).Words;
        Assert.Equal(64 * 40, words[0]);
    }
}
