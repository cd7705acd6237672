using Xunit;

namespace AiFabrik.Ptx.Tests;

/// <summary>What orders accesses to shared and global memory, and what does not.</summary>
public sealed class RaceTests
{
    private const string Shared = ".shared .align 16 .b8 sh[1024]; .shared .align 8 .b64 bar;";
    private const string OwnWord = "mov.u32 %r2, sh; mad.lo.u32 %r3, %r0, 4, %r2; ";
    private const string ReadNeighbour = "xor.b32 %r4, %r0, 1; mad.lo.u32 %r5, %r4, 4, %r2; ld.shared.u32 %r6, [%r5]; ";

    [Fact]
    public void Lanes_of_a_warp_race_without_a_warp_barrier() =>
        Snippet.Faulty(Snippet.Kernel(OwnWord + "st.shared.u32 [%r3], %r0; " + ReadNeighbour, Shared), 32, PtxFaultKind.Race);

    [Theory]
    [InlineData("bar.warp.sync -1;")]
    [InlineData("bar.sync 0;")]
    [InlineData("barrier.sync 3;")]
    [InlineData("bar.sync 5, 32;")]
    public void A_barrier_orders_the_lanes_of_a_warp(string barrier) =>
        Snippet.Good(Snippet.Kernel(OwnWord + "st.shared.u32 [%r3], %r0; " + barrier + ReadNeighbour, Shared), 32);

    [Fact]
    public void A_warp_barrier_orders_no_other_warp()
    {
        string body = OwnWord + "st.shared.u32 [%r3], 1; bar.sync 0; st.shared.u32 [%r3], %r0; bar.warp.sync -1; xor.b32 %r4, %r0, 32; mad.lo.u32 %r5, %r4, 4, %r2; ld.shared.u32 %r6, [%r5];";
        PtxFault fault = Snippet.Faulty(Snippet.Kernel(body, Shared), 64, PtxFaultKind.Race);
        Assert.Equal(32, Math.Abs(fault.Thread.X - fault.OtherThread!.Value.X));
    }

    [Fact]
    public void A_warp_barrier_of_half_the_lanes_orders_only_them()
    {
        string body = OwnWord + """
            st.shared.u32 [%r3], %r0;
            setp.ge.u32 %p0, %r0, 16;
            @%p0 bra REST;
            bar.warp.sync 0xffff;
            xor.b32 %r4, %r0, 1; mad.lo.u32 %r5, %r4, 4, %r2; ld.shared.u32 %r6, [%r5];
            REST:
            """;
        Snippet.Good(Snippet.Kernel(body, Shared), 32);
        Snippet.Faulty(Snippet.Kernel(body.Replace("%r0, 1;", "%r0, 16;", StringComparison.Ordinal), Shared), 32, PtxFaultKind.Race);
    }

    [Fact]
    public void A_write_after_a_read_needs_a_barrier_too()
    {
        string body = OwnWord + "st.shared.u32 [%r3], %r0; bar.sync 0; " + ReadNeighbour + "{0} add.u32 %r7, %r0, 100; st.shared.u32 [%r3], %r7;";
        Snippet.Faulty(Snippet.Kernel(body.Replace("{0}", "", StringComparison.Ordinal), Shared), 64, PtxFaultKind.Race);
        Snippet.Good(Snippet.Kernel(body.Replace("{0}", "bar.sync 0;", StringComparison.Ordinal), Shared), 64);
    }

    [Fact]
    public void Two_writes_of_the_same_value_do_no_harm_but_of_two_values_do()
    {
        Snippet.Good(Snippet.Kernel("st.shared.u32 [sh], 7;", Shared), 64);
        Snippet.Faulty(Snippet.Kernel("st.shared.u32 [sh], %r0;", Shared), 64, PtxFaultKind.Race);
    }

    [Fact]
    public void Neighbouring_bytes_do_not_race() =>
        Snippet.Good(Snippet.Kernel("mov.u32 %r2, sh; add.u32 %r2, %r2, %r0; st.shared.u8 [%r2], %r0; ld.shared.u8 %r3, [%r2];", Shared), 96);

    [Fact]
    public void Atomics_do_not_race_with_each_other_but_with_plain_reads()
    {
        string start = "setp.eq.u32 %p0, %r0, 0; @%p0 st.shared.u32 [sh], 0; bar.sync 0; atom.shared.add.u32 %r2, [sh], 1; ";
        Snippet.Good(Snippet.Kernel(start + "bar.sync 0; ld.shared.u32 %r3, [sh];", Shared), 96);
        Snippet.Faulty(Snippet.Kernel(start + "ld.shared.u32 %r3, [sh];", Shared), 96, PtxFaultKind.Race);
    }

    [Fact]
    public void A_lock_with_fences_orders_what_it_guards()
    {
        string body = """
            setp.eq.u32 %p0, %r0, 0;
            @%p0 st.shared.v2.u32 [sh], {0, 0};
            bar.sync 0;
            TRY:
            atom.shared.cas.b32 %r2, [sh], 0, 1;
            setp.ne.u32 %p1, %r2, 0;
            @%p1 bra TRY;
            membar.cta;
            ld.shared.u32 %r3, [sh+4]; add.u32 %r3, %r3, 1; st.shared.u32 [sh+4], %r3;
            membar.cta;
            atom.shared.exch.b32 %r2, [sh], 0;
            bar.sync 0;
            @%p0 ld.shared.u32 %r3, [sh+4];
            @%p0 st.global.u32 [%o], %r3;
            """;
        Assert.Equal(96, Snippet.Good(Snippet.Kernel(body, Shared), 96)[0]);
    }

    [Fact]
    public void Threads_of_a_block_race_in_global_memory()
    {
        string body = "mad.wide.u32 %rd0, %r0, 4, %o; st.global.u32 [%rd0], %r0; {0} xor.b32 %r2, %r0, 33; mad.wide.u32 %rd1, %r2, 4, %o; ld.global.u32 %r3, [%rd1];";
        PtxFault fault = Snippet.Faulty(Snippet.Kernel(body.Replace("{0}", "", StringComparison.Ordinal)), 64, PtxFaultKind.Race);
        Assert.Equal((PtxSpace.Global, "out"), (fault.Space, fault.Buffer!.Name));
        Snippet.Good(Snippet.Kernel(body.Replace("{0}", "bar.sync 0;", StringComparison.Ordinal)), 64);
        Snippet.Faulty(Snippet.Kernel("st.global.u32 [%o], %r0;"), 2, PtxFaultKind.Race);
    }

    [Fact]
    public void A_copy_that_was_waited_for_is_seen_by_its_thread_only_until_a_barrier()
    {
        string copy = OwnWord + "mad.wide.u32 %rd0, %r0, 4, %o; cp.async.ca.shared.global [%r3], [%rd0], 4; cp.async.commit_group; {0} ";
        string waited = copy.Replace("{0}", "cp.async.wait_group 0;", StringComparison.Ordinal);
        Snippet.Good(Snippet.Kernel(waited + "ld.shared.u32 %r6, [%r3];", Shared), 64);
        Snippet.Faulty(Snippet.Kernel(waited + ReadNeighbour, Shared), 64, PtxFaultKind.Race);
        Snippet.Good(Snippet.Kernel(waited + "bar.sync 0;" + ReadNeighbour, Shared), 64);
        Snippet.Faulty(Snippet.Kernel(copy.Replace("{0}", "bar.sync 0;", StringComparison.Ordinal) + ReadNeighbour, Shared), 64, PtxFaultKind.Race);
        Snippet.Faulty(Snippet.Kernel(copy.Replace("{0}", "st.shared.u32 [%r3], 1;", StringComparison.Ordinal), Shared), 64, PtxFaultKind.Race);
    }

    private const string Pipeline = """
        setp.eq.u32 %p0, %r0, 0;
        mov.u32 %r9, bar;
        @%p0 mbarrier.init.shared::cta.b64 [%r9], 1;
        bar.sync 0;
        mov.u32 %r2, sh;
        @%p0 mbarrier.arrive.expect_tx.shared::cta.b64 _, [%r9], 256;
        @%p0 cp.async.bulk.shared::cluster.global.mbarrier::complete_tx::bytes [%r2], [%o], 256, [%r9];
        {0}
        mad.lo.u32 %r3, %r0, 4, %r2; ld.shared.u32 %r4, [%r3]; add.u32 %r4, %r4, 1;
        bar.sync 0;
        mad.wide.u32 %rd0, %r0, 4, %o; st.global.u32 [%rd0], %r4;
        """;

    [Fact]
    public void A_bulk_copy_is_seen_after_its_mbarrier()
    {
        string text = Snippet.Kernel(Pipeline.Replace("{0}", "W: mbarrier.try_wait.parity.shared::cta.b64 %p1, [%r9], 0; @!%p1 bra W;", StringComparison.Ordinal), Shared);
        int[] input = [.. Enumerable.Range(0, 64).Select(i => i * 3)];
        Assert.Equal(input.Select(i => i + 1), Snippet.Good(text, 64, input: input));
        Snippet.Faulty(Snippet.Kernel(Pipeline.Replace("{0}", "bar.sync 0;", StringComparison.Ordinal), Shared), 64, PtxFaultKind.Race);
    }

    [Fact]
    public void An_mbarrier_must_be_initialised()
    {
        Snippet.Faulty(Snippet.Kernel("mov.u32 %r9, bar; mbarrier.arrive.shared::cta.b64 _, [%r9];", Shared), 1, PtxFaultKind.UninitialisedShared);
        Snippet.Faulty(Snippet.Kernel("mov.u32 %r9, bar; st.shared.b64 [%r9], 0; mbarrier.arrive.shared::cta.b64 _, [%r9];", Shared), 1, PtxFaultKind.InvalidOperation);
    }

    [Fact]
    public void Blocks_start_with_unwritten_shared_memory() =>
        Assert.Equal(new Dim3(1, 0, 0), Snippet.Run(Snippet.Kernel("""
            mov.u32 %r2, %ctaid.x; setp.eq.u32 %p0, %r2, 0;
            @%p0 st.shared.u32 [sh], 1;
            ld.shared.u32 %r3, [sh];
            """, Shared), 1, blocks: 2).Result.Fault!.Block);
}
