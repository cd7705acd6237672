using System.Globalization;
using System.Text;
using System.Text.Json;
using Xunit;

namespace AiFabrik.EndToEnd.Tests.Golden;

/// <summary>The default model's numbers on the processor (class int8), within the bounds of tests/golden/README.md.</summary>
public sealed class LogitTests
{
    private const double KlMax = 8e-3;
    private const double Top1Min = 0.94;
    private const double Gap = 1.0;
    private const double NllDifferenceMax = 0.012;

    private static async Task<float[][]> RowsAsync(int[] tokens, params string[] more)
    {
        using var raw = new TemporaryFile();
        var result = await CommandLine.RunAsync(Encoding.ASCII.GetBytes(string.Join(',', tokens)), ["model", "logprobs", "--model", Repository.Model, "--device", "cpu", "--tokens", "-", "--raw", raw.Path, "--top", "0", .. more]);
        Assert.True(result.ExitCode == 0, result.Error);
        var all = GoldenFiles.Floats(raw.Path);
        var width = all.Length / tokens.Length;
        return [.. Enumerable.Range(0, tokens.Length).Select(i => all[(i * width)..((i + 1) * width)])];
    }

    private static double[] LogSoftmax(float[] row)
    {
        var max = (double)row.Max();
        var sum = Math.Log(row.Sum(x => Math.Exp(x - max))) + max;
        return [.. row.Select(x => x - sum)];
    }

    private static int Best(float[] row) => Array.IndexOf(row, row.Max());

    [Fact]
    public async Task Logits()
    {
        var cases = GoldenFiles.Lines("smollm2", "logits.jsonl");
        var ours = await GoldenFiles.EachAsync(cases, static c => RowsAsync(c.Ints("tokens")));
        var (kl, fullKl) = (new List<double>(), new List<double>());
        var agreeing = 0;
        for (var i = 0; i < cases.Length; i++)
        {
            var top = cases[i].GetProperty("top").EnumerateArray().ToArray();
            foreach (var (position, row) in cases[i].Ints("positions").Zip(top))
            {
                var best = row.EnumerateArray().Select(e => (Id: e[0].GetInt32(), Log: e[1].GetDouble())).ToArray();
                var q = LogSoftmax(ours[i][position]);
                kl.Add(LumpedKl(best, q));
                if (Best(ours[i][position]) == best[0].Id) agreeing++;
                else Assert.True(best[0].Log - best[1].Log < Gap, $"case {i}, position {position}: another best token in spite of a gap of {best[0].Log - best[1].Log}");
            }
            var p = LogSoftmax(GoldenFiles.Floats(GoldenFiles.Need("smollm2", cases[i].GetProperty("last").GetString()!)));
            var last = LogSoftmax(ours[i][^1]);
            fullKl.Add(p.Zip(last, static (a, b) => Math.Exp(a) * (a - b)).Sum());
        }
        TestContext.Current.SendDiagnosticMessage($"KL of all rows {kl.Average():0.00000}, of whole rows {fullKl.Average():0.00000}, top1 {agreeing / (double)kl.Count:0.000}");
        Assert.InRange(kl.Average(), 0, KlMax);
        Assert.InRange(fullKl.Average(), 0, KlMax);
        Assert.InRange(agreeing / (double)kl.Count, Top1Min, 1);
    }

    /// <summary>KL of the listed tokens and the rest as one: never above that of all tokens.</summary>
    private static double LumpedKl((int Id, double Log)[] best, double[] q)
    {
        var (sum, restP, restQ) = (0.0, 1.0, 1.0);
        foreach (var (id, log) in best)
        {
            var p = Math.Exp(log);
            sum += p * (log - q[id]);
            restP -= p;
            restQ -= Math.Exp(q[id]);
        }
        return restP > 1e-6 && restQ > 0 ? sum + restP * Math.Log(restP / restQ) : sum;
    }

    [Fact]
    public async Task Printed_logprobs_are_those_of_the_raw_rows()
    {
        using var raw = new TemporaryFile();
        var result = await CommandLine.RunAsync("model", "logprobs", "--model", Repository.Model, "--tokens", "504,3575,282", "--json", "--top", "5", "--raw", raw.Path);
        var all = GoldenFiles.Floats(raw.Path);
        var lines = result.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(l => JsonDocument.Parse(l).RootElement).ToArray();
        Assert.Equal(3, lines.Length);
        for (var i = 0; i < 3; i++)
        {
            var row = LogSoftmax(all[(i * all.Length / 3)..((i + 1) * all.Length / 3)]);
            var expected = row.Select((log, id) => (id, log)).OrderByDescending(t => t.log).Take(5).ToArray();
            var printed = lines[i].GetProperty("top").EnumerateArray().Select(e => (e[0].GetInt32(), e[1].GetDouble())).ToArray();
            Assert.Equal(expected.Select(e => e.id), printed.Select(e => e.Item1));
            for (var k = 0; k < 5; k++) Assert.Equal(expected[k].log, printed[k].Item2, 4);
        }
    }

    [Fact]
    public async Task The_references_own_tokens_are_best_where_the_gap_is_wide()
    {
        var cases = GoldenFiles.Lines("smollm2", "greedy.jsonl");
        var ours = await GoldenFiles.EachAsync(cases, static c => RowsAsync([.. c.Ints("ids"), .. c.Ints("greedy")[..^1]]));
        var checkedSteps = 0;
        for (var i = 0; i < cases.Length; i++)
        {
            var greedy = cases[i].Ints("greedy");
            var gaps = cases[i].GetProperty("gaps").EnumerateArray().Select(g => g.GetDouble()).ToArray();
            for (var step = 0; step < greedy.Length; step++)
            {
                if (gaps[step] < Gap) continue;
                checkedSteps++;
                Assert.True(greedy[step] == Best(ours[i][cases[i].Ints("ids").Length - 1 + step]), $"case {i}, step {step}, gap {gaps[step].ToString(CultureInfo.InvariantCulture)}");
            }
        }
        Assert.True(checkedSteps > 0);
    }

    [Fact]
    public async Task Perplexity()
    {
        foreach (var expected in GoldenFiles.Object("smollm2", "perplexity.json").EnumerateArray())
        {
            var context = expected.GetProperty("context").GetInt32();
            var result = await CommandLine.RunAsync("perplexity", "--model", Repository.Model, "--device", "cpu", "--file", GoldenFiles.Need("smollm2", "perplexity.txt"), "--context", $"{context}", "--json");
            Assert.True(result.ExitCode == 0, result.Error);
            using var ours = JsonDocument.Parse(result.Output);
            foreach (var name in (string[])["tokens", "chunks", "scored"]) Assert.Equal(expected.GetProperty(name).GetInt32(), ours.RootElement.GetProperty(name).GetInt32());
            var nll = ours.RootElement.GetProperty("mean_nll").GetDouble();
            TestContext.Current.SendDiagnosticMessage($"context {context}: mean nll {nll:0.00000}, expected {expected.GetProperty("mean_nll").GetDouble():0.00000}");
            Assert.Equal(expected.GetProperty("mean_nll").GetDouble(), nll, NllDifferenceMax);
            Assert.Equal(Math.Exp(nll), ours.RootElement.GetProperty("perplexity").GetDouble(), 1e-3);
        }
    }
}
