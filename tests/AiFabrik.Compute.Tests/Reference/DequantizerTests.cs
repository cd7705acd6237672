using System.Runtime.InteropServices;
using System.Text.Json;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference.Dequantization;
using Xunit;

namespace AiFabrik.Compute.Tests.Reference;

public sealed class DequantizerTests
{
    public static TheoryData<WeightType> Types => [.. Enum.GetValues<WeightType>().Where(type => type != WeightType.F32)];

    [Theory]
    [MemberData(nameof(Types))]
    public void Blocks_of_random_bits_give_the_golden_values_bit_by_bit(WeightType type)
    {
        using var golden = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(GoldenRoot(), "gguf", "blocks.json")));
        var cases = golden.RootElement.GetProperty(type.ToString()).GetProperty("blocks");
        Assert.NotEqual(0, cases.GetArrayLength());
        foreach (var block in cases.EnumerateArray())
        {
            var bytes = Convert.FromHexString(block.GetProperty("bytes").GetString()!);
            var expected = MemoryMarshal.Cast<byte, uint>(Convert.FromHexString(block.GetProperty("values").GetString()!)).ToArray();
            var values = new float[expected.Length];
            Dequantizer.Blocks(type, bytes, values);
            Assert.Equal(expected, MemoryMarshal.Cast<float, uint>(values).ToArray());
        }
    }

    [Fact]
    public unsafe void A_row_of_a_strided_stack_is_found_by_expert_and_row()
    {
        // [2 experts][3 rows][2 columns], every second row skipped by the stride.
        var data = Enumerable.Range(0, 24).Select(i => (float)i).ToArray();
        fixed (float* first = data)
        {
            var matrix = new WeightTensor("w", WeightType.F32, 3, 2, (nint)first, 16) { Experts = 2, ExpertStrideBytes = 48 };
            var row = new float[2];
            Dequantizer.Row(matrix, 1, 2, row);
            Assert.Equal([20f, 21f], row);
            Assert.Throws<ArgumentOutOfRangeException>(() => Dequantizer.Row(matrix, 2, 0, row));
            Assert.Throws<ArgumentOutOfRangeException>(() => Dequantizer.Row(matrix, 0, 3, row));
        }
    }

    [Fact]
    public void Bytes_that_are_no_whole_blocks_are_refused() =>
        Assert.Throws<ArgumentException>(() => Dequantizer.Blocks(WeightType.Q4_0, new byte[17], new float[32]));

    private static string GoldenRoot()
    {
        if (Environment.GetEnvironmentVariable("AIFABRIK_GOLDEN") is { Length: > 0 } other) return other;
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "AiFabrik.sln"))) return Path.Combine(at.FullName, "tests", "golden");
        throw new InvalidOperationException("The tests do not run within the repository.");
    }
}
