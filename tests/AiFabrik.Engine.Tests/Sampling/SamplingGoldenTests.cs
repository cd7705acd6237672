using System.Runtime.CompilerServices;
using System.Text.Json;
using AiFabrik.Engine.Sampling;
using Xunit;

namespace AiFabrik.Engine.Tests.Sampling;

/// <summary>sampling.json: what is left to draw from, computed elsewhere.</summary>
public sealed class SamplingGoldenTests
{
    private static string GoldenRoot([CallerFilePath] string here = "") =>
        Environment.GetEnvironmentVariable("AIFABRIK_GOLDEN") is { Length: > 0 } root
            ? root : Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "golden");

    [Fact]
    public void Probabilities_are_those_of_the_golden_cases()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(GoldenRoot(), "sampling.json")));
        var failures = new List<string>();
        var number = 0;
        foreach (var testCase in document.RootElement.EnumerateArray())
        {
            number++;
            var logits = testCase.GetProperty("logits").EnumerateArray().Select(x => x.GetSingle()).ToArray();
            using var sampler = new Sampler(logits.Length);
            var probabilities = new double[logits.Length];
            sampler.Probabilities(logits, Input(testCase), probabilities);

            var expected = testCase.GetProperty("probabilities").EnumerateObject().ToDictionary(x => int.Parse(x.Name), x => x.Value.GetDouble());
            for (var id = 0; id < probabilities.Length; id++)
            {
                if (Math.Abs(probabilities[id] - expected.GetValueOrDefault(id)) > 1e-6 || (!expected.ContainsKey(id) && probabilities[id] > 1e-6))
                    failures.Add($"{number} {testCase.GetProperty("name")}: token {id}: {probabilities[id]:r} instead of {expected.GetValueOrDefault(id):r}");
            }
        }
        Assert.True(number > 0);
        Assert.Empty(failures);
    }

    [Fact]
    public void Draws_follow_the_golden_probabilities()
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(Path.Combine(GoldenRoot(), "sampling.json")));
        const int draws = 4000;
        foreach (var testCase in document.RootElement.EnumerateArray())
        {
            var logits = testCase.GetProperty("logits").EnumerateArray().Select(x => x.GetSingle()).ToArray();
            using var sampler = new Sampler(logits.Length);
            var counts = new int[logits.Length];
            for (var seed = 0UL; seed < draws; seed++)
                counts[sampler.Sample((float[])logits.Clone(), Input(testCase, seed), out _, [], out _)]++;
            foreach (var (id, p) in testCase.GetProperty("probabilities").EnumerateObject().Select(x => (int.Parse(x.Name), x.Value.GetDouble())))
            {
                // Six standard deviations and the share of one draw: seeds are fixed, so this never flickers.
                var tolerance = 6 * Math.Sqrt(p * (1 - p) / draws) + 2.0 / draws;
                Assert.InRange((double)counts[id] / draws, p - tolerance, p + tolerance);
            }
            Assert.Equal(draws, testCase.GetProperty("probabilities").EnumerateObject().Sum(x => counts[int.Parse(x.Name)]) + Strays(testCase, counts));
        }
    }

    /// <summary>Draws of tokens too improbable for six digits: none of them may be a filtered one, and there are hardly any.</summary>
    private static int Strays(JsonElement testCase, int[] counts)
    {
        var listed = testCase.GetProperty("probabilities").EnumerateObject().Select(x => int.Parse(x.Name)).ToHashSet();
        var strays = counts.Where((_, id) => !listed.Contains(id)).Sum();
        Assert.InRange(strays, 0, 1);
        return strays;
    }

    private static SamplingInput Input(JsonElement testCase, ulong seed = 0)
    {
        var prompt = Ints(testCase.GetProperty("prompt"));
        var output = Ints(testCase.GetProperty("output"));
        var p = testCase.GetProperty("params");
        float Float(string name, float otherwise) => p.TryGetProperty(name, out var v) ? v.GetSingle() : otherwise;
        int Int(string name) => p.TryGetProperty(name, out var v) ? v.GetInt32() : 0;
        var known = new HashSet<string> { "temperature", "top_k", "top_p", "min_p", "typical_p", "repetition_penalty", "presence_penalty", "frequency_penalty", "logit_bias", "min_tokens", "eos", "stop_token_ids" };
        Assert.All(p.EnumerateObject(), x => Assert.Contains(x.Name, known));
        var isShort = output.Length < Int("min_tokens");
        return new SamplingInput
        {
            Parameters = new SamplingParameters
            {
                Temperature = Float("temperature", 1), TopK = Int("top_k"), TopP = Float("top_p", 1), MinP = Float("min_p", 0), TypicalP = Float("typical_p", 1),
                RepetitionPenalty = Float("repetition_penalty", 1), PresencePenalty = Float("presence_penalty", 0), FrequencyPenalty = Float("frequency_penalty", 0),
            },
            History = (int[])[.. prompt, .. output],
            PromptLength = prompt.Length,
            Bias = p.TryGetProperty("logit_bias", out var bias)
                ? bias.EnumerateObject().Select(x => new LogitBias(int.Parse(x.Name), x.Value.GetSingle())).ToArray() : [],
            Banned = isShort && p.TryGetProperty("eos", out var eos) ? (eos.ValueKind == JsonValueKind.Array ? Ints(eos) : [eos.GetInt32()]) : [],
            BannedToo = isShort && p.TryGetProperty("stop_token_ids", out var stops) ? Ints(stops) : [],
            Seed = seed,
        };
    }

    private static int[] Ints(JsonElement array) => array.EnumerateArray().Select(x => x.GetInt32()).ToArray();
}
