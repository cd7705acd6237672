using Xunit;

namespace AiFabrik.Ptx.Tests;

/// <summary>Prints how many thread instructions a second the machine runs (alone: <c>--filter-class "*SpeedTests" --xunit-diagnostics on</c>); asserts only that it counted them.</summary>
public sealed class SpeedTests
{
    [Theory]
    [InlineData("arithmetic", "mad.lo.u32 %r3, %r3, %r2, 7; xor.b32 %r4, %r3, %r2; add.f32 %f1, %f1, %f2; fma.rn.f32 %f3, %f1, %f2, %f3; shl.b32 %r5, %r4, 3; add.u64 %rd2, %rd2, 4;")]
    [InlineData("shared memory", "ld.shared.u32 %r3, [%r6]; add.u32 %r3, %r3, 1; st.shared.u32 [%r6], %r3; bar.sync 0;")]
    [InlineData("global memory", "ld.global.v4.u32 {%r3, %r4, %r5, %r7}, [%rd1]; add.u32 %r3, %r3, %r4; ld.global.f32 %f1, [%rd1+4];")]
    public void The_machine_reports_its_speed(string what, string loop)
    {
        string body = $$"""
            mov.u32 %r6, sh; mad.lo.u32 %r6, %r0, 4, %r6; st.shared.u32 [%r6], 0; mov.u64 %rd1, %o;
            mov.u32 %r2, 0; mov.u32 %r3, 1; mov.f32 %f1, 0f00000000; mov.f32 %f2, 0f3F800000; mov.f32 %f3, %f1; mov.u64 %rd2, 0;
            AGAIN:
            {{loop}}
            add.u32 %r2, %r2, 1; setp.lt.u32 %p0, %r2, 2000; @%p0 bra AGAIN;
            """;
        string text = Snippet.Kernel(body, ".shared .align 4 .b8 sh[1024];");
        Snippet.Run(text, 256);
        // Processor time, so that what else the machine does counts less.
        TimeSpan before = Environment.CpuUsage.TotalTime;
        PtxResult result = Snippet.Run(text, 256).Result;
        TestContext.Current.SendDiagnosticMessage("{0}: {1:F1} million thread instructions a second of processor time", what, result.ThreadInstructions / (Environment.CpuUsage.TotalTime - before).TotalSeconds / 1e6);
        Assert.True(result.Fault is null, result.Fault?.ToString());
        Assert.True(result.ThreadInstructions > 256 * 2000 * 5);
    }
}
