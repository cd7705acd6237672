using System.Globalization;
using AiFabrik.Compute.Native;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Tests.Models.Making;
using Xunit;

namespace AiFabrik.Engine.Tests.Models;

/// <summary>
/// Random tiny models of every architecture with odd shapes, types and settings: read from both formats they give the same, and the native
/// executor gives what the reference gives within its class. AIFABRIK_RANDOM_MODELS says how many, AIFABRIK_RANDOM_SEED which is the first.
/// </summary>
public sealed class RandomModelTests
{
    private const int DefaultModels = 40;

    private static int Models => Number("AIFABRIK_RANDOM_MODELS", DefaultModels);

    private static int FirstSeed => Number("AIFABRIK_RANDOM_SEED", 1);

    private static int Number(string variable, int otherwise) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var n) ? n : otherwise;

    [Fact]
    public void Both_formats_give_the_same_logits() => ForEach((model, folder, tokens) =>
    {
        model.WriteDirectory(folder.Path);
        model.WriteGguf(folder.File("m.gguf"), mixed: false);
        var expected = Logits.Of(folder.Path, tokens);
        var got = Logits.Of(folder.File("m.gguf"), tokens);
        // Pairs that rotate lie in another order in GGUF's llama, so sums are rounded otherwise.
        if (!model.Shape.IsInterleaved) return expected.AsSpan().SequenceEqual(got) ? null : Text($"differ by {Error(expected, got, model.Shape.Vocab).Rms:E2}");
        var (rms, _) = Error(expected, got, model.Shape.Vocab);
        return rms < 1e-4 ? null : Text($"differ by {rms:E2}");
    });

    [Fact]
    public void Native_executor_gives_the_reference_within_its_class() => ForEach((model, folder, tokens) =>
    {
        foreach (var mixed in (bool[])[false, true])
        {
            model.WriteGguf(folder.File("m.gguf"), mixed);
            using var files = ModelFiles.Open(folder.File("m.gguf"));
            var expected = Logits.Of(files, tokens, (program, limits) => new ReferenceExecutor(program, limits));
            var exactness = ExactnessClass.Reference;
            var got = Logits.Of(files, tokens, (program, limits) =>
            {
                var executor = NativeExecutor.Create(program, limits, new NativeOptions { Threads = 2, PinThreads = false });
                exactness = executor.Info.Class;
                return executor;
            });
            // An expert chosen otherwise changes a whole row, and rounding may do that: of mixtures, the middle row counts.
            var (rms, median) = Error(expected, got, model.Shape.Vocab);
            var error = model.Shape.Experts > model.Shape.ExpertsUsed ? median : rms;
            if (!(error < Bound(exactness))) return Text($"{(mixed ? "mixed types" : "plain")}, {exactness}: error {error:E2}");
        }
        return null;
    });

    /// <summary>The golden models' largest limits and a third: these shapes are odder.</summary>
    private static double Bound(ExactnessClass exactness) => exactness switch { ExactnessClass.Reference => 1e-4, ExactnessClass.Float16 => 5e-3, ExactnessClass.BFloat16 => 0.07, _ => 0.19 };

    private static void ForEach(Func<RandomModel, TemporaryFolder, int[], string?> check)
    {
        var wrong = new List<string>();
        for (var i = 0; i < Models; i++)
        {
            var seed = FirstSeed + i;
            using var folder = new TemporaryFolder();
            var model = new RandomModel((ulong)seed);
            string? problem;
            try
            {
                problem = check(model, folder, model.Tokens());
            }
            catch (Exception e) when (e is ModelFormatException or NativeModelException)
            {
                problem = e.Message;
            }
            if (problem is not null) wrong.Add($"Seed {seed}: {problem} {model.Shape}");
        }
        Assert.True(wrong.Count == 0, $"{wrong.Count} of {Models}:\n" + string.Join('\n', wrong));
    }

    /// <summary>rms(got − expected) / std(expected) over all rows, and of the middle row.</summary>
    private static (double Rms, double Median) Error(float[] expected, float[] got, int width)
    {
        var rows = new double[expected.Length / width];
        double mean = expected.Average(), variance = expected.Average(v => (v - mean) * (v - mean)), all = 0;
        for (var row = 0; row < rows.Length; row++)
        {
            for (var i = row * width; i < (row + 1) * width; i++) rows[row] += (got[i] - expected[i]) * (double)(got[i] - expected[i]);
            all += rows[row];
        }
        Array.Sort(rows);
        return (Math.Sqrt(all / expected.Length / variance), Math.Sqrt(rows[rows.Length / 2] / width / variance));
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
