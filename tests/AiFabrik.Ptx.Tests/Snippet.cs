using System.Globalization;
using System.Runtime.InteropServices;
using Xunit;

namespace AiFabrik.Ptx.Tests;

/// <summary>Short kernels in PTX with one parameter: a buffer of words, whose address they find in <c>%o</c>.</summary>
internal static class Snippet
{
    public static string Kernel(string body, string shared = "", string module = "") => $$"""
        .version 8.0
        .target sm_90a
        .address_size 64
        {{module}}
        .visible .entry k(.param .u64 out)
        {
        .reg .pred %p<8>; .reg .b16 %h<8>; .reg .b32 %r<64>; .reg .f32 %f<64>; .reg .b64 %rd<32>, %o; .reg .f64 %d<16>;
        {{shared}}
        ld.param.u64 %o, [out];
        cvta.to.global.u64 %o, %o;
        mov.u32 %r0, %tid.x;
        mov.u32 %r1, %laneid;
        {{body}}
        ret;
        }
        """;

    /// <summary>Runs a kernel on a buffer of <paramref name="words"/> words that start as 0.</summary>
    public static (PtxResult Result, int[] Words) Run(string text, int threads, int words = 64, int blocks = 1, int[]? input = null, PtxMachineOptions? options = null)
    {
        PtxModule module = GoldenCase.Parse(text);
        var machine = new PtxMachine(options);
        PtxBuffer buffer = machine.Allocate("out", words * 4);
        (input ?? []).CopyTo(MemoryMarshal.Cast<byte, int>(buffer.Bytes));
        PtxResult result = machine.Launch(module, "k", new Dim3(blocks), new Dim3(threads), 0, new PtxArguments().Add(buffer));
        return (result, MemoryMarshal.Cast<byte, int>(buffer.Bytes).ToArray());
    }

    public static int[] Good(string text, int threads, int words = 64, int blocks = 1, int[]? input = null)
    {
        (PtxResult result, int[] values) = Run(text, threads, words, blocks, input);
        Assert.True(result.Fault is null, result.Fault?.ToString());
        return values;
    }

    public static PtxFault Faulty(string text, int threads, PtxFaultKind kind, PtxMachineOptions? options = null)
    {
        PtxFault? fault = Run(text, threads, options: options).Result.Fault;
        Assert.NotNull(fault);
        Assert.True(fault.Kind == kind, fault.ToString());
        return fault;
    }

    public static string Number(double value) => string.Create(CultureInfo.InvariantCulture, $"0f{BitConverter.SingleToUInt32Bits((float)value):X8}");
}
