using System.Text.Json;
using Xunit;

namespace AiFabrik.Ptx.Tests;

public sealed class GoldenTests
{
    public static TheoryData<string> Good => [.. GoldenCase.All.Where(c => !c.Value.IsError).Select(c => c.Key)];
    public static TheoryData<string> Faulty => [.. GoldenCase.All.Where(c => c.Value.IsError).Select(c => c.Key)];

    [Theory]
    [MemberData(nameof(Good))]
    public void A_program_gives_the_result_of_its_specification(string name)
    {
        GoldenCase golden = GoldenCase.All[name];
        PtxResult result = golden.Run();
        Assert.True(result.Fault is null, result.Fault?.ToString());
        Assert.Null(golden.Differences());
    }

    [Theory]
    [MemberData(nameof(Faulty))]
    public void A_fault_is_found_and_named(string name)
    {
        GoldenCase golden = GoldenCase.All[name];
        PtxFault? fault = golden.Run().Fault;
        Assert.NotNull(fault);
        JsonElement error = golden.Json.GetProperty("error");
        string[] kinds = error.TryGetProperty("accept", out JsonElement accept)
            ? [.. accept.EnumerateArray().Select(a => a.GetString()!)]
            : [error.GetProperty("kind").GetString()!];
        Assert.Contains(KindName(fault.Kind), kinds);
        Assert.Equal(GoldenCase.Index(error.GetProperty("block")), fault.Block);
        if (error.TryGetProperty("thread", out JsonElement thread))
        {
            Assert.Equal(GoldenCase.Index(thread), fault.Thread);
        }
        if (error.TryGetProperty("threads", out JsonElement threads))
        {
            Assert.Equal(
                threads.EnumerateArray().Select(GoldenCase.Index).OrderBy(t => t.X),
                new[] { fault.Thread, fault.OtherThread!.Value }.OrderBy(t => t.X));
        }
        ExpectPlace(error, fault);
    }

    private static void ExpectPlace(JsonElement error, PtxFault fault)
    {
        if (error.TryGetProperty("space", out JsonElement space))
        {
            Assert.Equal(space.GetString(), fault.Space.ToString().ToLowerInvariant());
        }
        if (error.TryGetProperty("buffer", out JsonElement buffer))
        {
            Assert.Equal(buffer.GetString(), fault.Buffer?.Name);
        }
        if (error.TryGetProperty("byte_offset", out JsonElement offset))
        {
            Assert.Equal(offset.GetInt64(), fault.ByteOffset);
        }
        if (error.TryGetProperty("size", out JsonElement size))
        {
            Assert.Equal(size.GetInt32(), fault.SizeBytes);
        }
        if (error.TryGetProperty("access", out JsonElement access))
        {
            Assert.Equal(access.GetString(), fault.Access.ToString().ToLowerInvariant());
        }
        Assert.True(fault.Line > 0);
        Assert.NotEqual("", fault.Instruction);
    }

    private static string KindName(PtxFaultKind kind) => kind switch
    {
        PtxFaultKind.OutOfBounds => "out_of_bounds",
        PtxFaultKind.Misaligned => "misaligned",
        PtxFaultKind.UninitialisedShared => "uninitialised_shared",
        PtxFaultKind.Race => "race",
        PtxFaultKind.DivergentBarrier => "divergent_barrier",
        _ => kind.ToString(),
    };
}
