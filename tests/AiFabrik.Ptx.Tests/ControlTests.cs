using Xunit;

namespace AiFabrik.Ptx.Tests;

/// <summary>Branches, barriers, calls and what cannot be loaded.</summary>
public sealed class ControlTests
{
    private const string Store = "mad.wide.u32 %rd0, %r0, 4, %o; st.global.u32 [%rd0], %r2;";

    [Theory]
    [InlineData("frobnicate.b32 %r2, %r3;", "frobnicate.b32")]
    [InlineData("add.frob.s32 %r2, %r3, %r4;", "add.frob.s32")]
    [InlineData("mma.sync.aligned.m16n8k99.row.col.f32.bf16.bf16.f32 {%f0}, {%r1}, {%r2}, {%f0};", "m16n8k99")]
    [InlineData("tcgen05.alloc.cta_group::1.sync.aligned.b32 [%r2], 32;", "tcgen05")]
    [InlineData("add.s32 %r2, %r3;", "add.s32")]
    [InlineData("add.s32 %r2, %r3, %nothing;", "%nothing")]
    [InlineData("bra NOWHERE;", "NOWHERE")]
    [InlineData("shl.f32 %r2, %r3, 1;", "shl.f32")]
    public void What_is_not_known_is_refused_by_name_and_line(string instruction, string named)
    {
        string text = Snippet.Kernel(instruction);
        int line = text.Split('\n').TakeWhile(l => !l.Contains(instruction, StringComparison.Ordinal)).Count() + 1;
        Assert.False(PtxModule.TryParse(text, out _, out PtxError? error));
        Assert.Contains(named, error!.Message, StringComparison.Ordinal);
        Assert.Equal(line, error.Line);
    }

    [Fact]
    public void Lanes_that_left_make_an_aligned_barrier_divergent()
    {
        string body = "setp.lt.u32 %p0, %r0, 5; @%p0 exit; bar.sync 0;";
        Assert.Equal(5, Snippet.Faulty(Snippet.Kernel(body), 64, PtxFaultKind.DivergentBarrier).Thread.X);
        Snippet.Faulty(Snippet.Kernel("setp.lt.u32 %p0, %r0, 5; @%p0 bar.sync 0;"), 32, PtxFaultKind.DivergentBarrier);
    }

    [Fact]
    public void Barriers_wait_for_the_threads_that_live()
    {
        Snippet.Good(Snippet.Kernel("setp.lt.u32 %p0, %r0, 32; @%p0 exit; bar.sync 0;"), 96);
        Snippet.Good(Snippet.Kernel("setp.lt.u32 %p0, %r0, 5; @%p0 exit; barrier.sync 0;"), 96);
    }

    [Fact]
    public void Warps_at_different_barriers_are_a_deadlock() => Snippet.Faulty(
        Snippet.Kernel("setp.lt.u32 %p0, %r0, 32; @%p0 bra A; bar.sync 1; bra END; A: bar.sync 2; END:"), 64, PtxFaultKind.DivergentBarrier);

    [Fact]
    public void A_barrier_before_the_code_that_branches_to_it_still_reconverges()
    {
        // The exit block lies above the loop, so the lanes that leave the loop first come to the barrier first.
        string body = """
            mov.u32 %r2, 0;
            bra HEAD;
            DONE:
            bar.sync 0;
            mad.wide.u32 %rd0, %r0, 4, %o; st.global.u32 [%rd0], %r2;
            ret;
            HEAD:
            add.u32 %r2, %r2, 2;
            setp.gt.u32 %p0, %r2, %r0;
            @%p0 bra DONE;
            bra HEAD;
            """;
        Assert.Equal(Enumerable.Range(0, 64).Select(i => i / 2 * 2 + 2), Snippet.Good(Snippet.Kernel(body), 64));
    }

    [Fact]
    public void Members_of_a_shuffle_may_come_by_different_ways()
    {
        string body = """
            and.b32 %r3, %r0, 1; setp.eq.u32 %p0, %r3, 0; mul.lo.u32 %r4, %r0, 10;
            @%p0 bra EVEN;
            shfl.sync.bfly.b32 %r2, %r4, 1, 0x1f, -1;
            add.u32 %r2, %r2, 1000;
            bra END;
            EVEN:
            shfl.sync.bfly.b32 %r5, %r4, 1, 0x1f, -1;
            mov.u32 %r2, %r5;
            END:
            """ + Store;
        Assert.Equal(Enumerable.Range(0, 32).Select(i => (i ^ 1) * 10 + i % 2 * 1000), Snippet.Good(Snippet.Kernel(body), 32, 32));
    }

    [Fact]
    public void A_lane_that_spins_lets_the_lane_that_it_waits_for_go_on()
    {
        string body = """
            setp.eq.u32 %p0, %r0, 31;
            WAIT:
            @%p0 st.volatile.global.u32 [%o], 1;
            ld.volatile.global.u32 %r2, [%o];
            setp.eq.u32 %p1, %r2, 0;
            @%p1 bra WAIT;
            """;
        Snippet.Good(Snippet.Kernel(body), 32);
        string harder = """
            setp.eq.u32 %p0, %r0, 31;
            @%p0 bra SET;
            WAIT:
            ld.volatile.global.u32 %r2, [%o];
            setp.eq.u32 %p1, %r2, 0;
            @%p1 bra WAIT;
            bra END;
            SET:
            st.volatile.global.u32 [%o], 1;
            END:
            """;
        Snippet.Good(Snippet.Kernel(harder), 32);
    }

    [Fact]
    public void An_endless_loop_meets_the_step_limit() =>
        Snippet.Faulty(Snippet.Kernel("A: bra A;"), 32, PtxFaultKind.StepLimit, new PtxMachineOptions { WarpInstructionsMax = 100_000 });

    [Fact]
    public void A_trap_stops_the_launch() => Snippet.Faulty(Snippet.Kernel("setp.eq.u32 %p0, %r0, 3; @%p0 trap;"), 32, PtxFaultKind.Trap);

    [Fact]
    public void Functions_take_registers_or_memory_and_may_recurse()
    {
        const string Module = """
            .func (.reg .b32 %sum) add3(.reg .b32 %a, .reg .b32 %b, .param .b32 c)
            { .reg .b32 %x; ld.param.u32 %x, [c]; add.u32 %sum, %a, %b; add.u32 %sum, %sum, %x; ret; }
            .func (.param .b32 r) depth(.param .b32 n)
            {
            .reg .b32 %n, %m; .reg .pred %p; .local .align 4 .b8 keep[16];
            ld.param.u32 %n, [n]; st.local.u32 [keep+8], %n;
            setp.eq.u32 %p, %n, 0; mov.u32 %m, 0;
            @%p bra LEAF;
            sub.u32 %m, %n, 1;
            { .param .b32 q; .param .b32 s; st.param.b32 [q], %m; call.uni (s), depth, (q); ld.param.b32 %m, [s]; }
            LEAF:
            ld.local.u32 %n, [keep+8]; add.u32 %m, %m, %n; st.param.b32 [r], %m;
            ret;
            }
            """;
        string body = """
            call (%r2), add3, (%r0, 100, %r0);
            { .param .b32 q; .param .b32 s; st.param.b32 [q], %r1; call (s), depth, (q); ld.param.b32 %r3, [s]; }
            mad.lo.u32 %r2, %r3, 1000, %r2;
            """ + Store;
        Assert.Equal(Enumerable.Range(0, 32).Select(i => i * (i + 1) / 2 * 1000 + 100 + 2 * i), Snippet.Good(Snippet.Kernel(body, module: Module), 32, 32));
    }

    [Theory]
    [InlineData("ld.global.u32 %r2, [%o-4];", PtxFaultKind.OutOfBounds, PtxSpace.Global, -4)]
    [InlineData("ld.global.u16 %h0, [%o+3];", PtxFaultKind.Misaligned, PtxSpace.Global, 3)]
    [InlineData("st.global.v4.u32 [%o+256], {%r0, %r0, %r0, %r0};", PtxFaultKind.OutOfBounds, PtxSpace.Global, 256)]
    [InlineData("atom.global.add.u32 %r2, [%o+1024], 1;", PtxFaultKind.OutOfBounds, PtxSpace.Global, 1024)]
    [InlineData("ld.shared.u32 %r2, [sh+64];", PtxFaultKind.OutOfBounds, PtxSpace.Shared, 64)]
    [InlineData("st.local.u64 [lo+12], %o;", PtxFaultKind.Misaligned, PtxSpace.Local, 12)]
    [InlineData("st.local.u64 [lo+16], %o;", PtxFaultKind.OutOfBounds, PtxSpace.Local, 16)]
    [InlineData("ld.const.u32 %r2, [ct+8];", PtxFaultKind.OutOfBounds, PtxSpace.Constant, 8)]
    [InlineData("mov.u64 %rd1, 0; ld.global.u32 %r2, [%rd1];", PtxFaultKind.OutOfBounds, PtxSpace.Global, null)]
    [InlineData("mov.u64 %rd1, sh; cvta.shared.u64 %rd1, %rd1; st.u32 [%rd1+62], %r0;", PtxFaultKind.Misaligned, PtxSpace.Shared, 62)]
    [InlineData("mov.u64 %rd1, 0x1234; call %rd1;", PtxFaultKind.InvalidOperation, PtxSpace.None, 0)]
    public void A_wrong_address_is_named(string instruction, PtxFaultKind kind, PtxSpace space, int? offset)
    {
        string text = Snippet.Kernel(instruction, ".shared .align 4 .b8 sh[64]; .local .align 8 .b8 lo[16];", ".const .align 4 .b32 ct[2] = {1, 2};");
        PtxFault fault = Snippet.Faulty(text, 1, kind);
        Assert.Equal(space, fault.Space);
        if (offset is not null)
        {
            Assert.Equal(offset.Value, fault.ByteOffset);
        }
    }

    [Fact]
    public void Launches_that_cannot_be_are_refused()
    {
        PtxModule module = GoldenCase.Parse(Snippet.Kernel(""));
        var machine = new PtxMachine();
        PtxBuffer buffer = machine.Allocate("out", 4);
        Assert.Throws<ArgumentException>(() => machine.Launch(module, "other", new Dim3(1), new Dim3(1), 0, new PtxArguments()));
        Assert.Throws<ArgumentException>(() => machine.Launch(module, "k", new Dim3(1), new Dim3(1025), 0, new PtxArguments().Add(buffer)));
        Assert.Throws<ArgumentException>(() => machine.Launch(module, "k", new Dim3(1), new Dim3(1), 0, new PtxArguments().Add(1)));
        Assert.Throws<ArgumentException>(() => machine.Launch(module, "k", new Dim3(1), new Dim3(1), 300 << 10, new PtxArguments().Add(buffer)));
    }
}
