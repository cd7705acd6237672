using System.Runtime.InteropServices;
using System.Text.Json;
using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Architectures;

namespace AiFabrik.Engine.Tests.Models;

/// <summary>Compares a model with expected logits on the reference executor.</summary>
internal static class GoldenModel
{
    private const int BlockSize = 16;

    /// <summary>The cases of a file; logits lie beside it unless a case says otherwise.</summary>
    public static IEnumerable<(int[] Tokens, int[] Rows, float[] Logits, double Std)> Cases(JsonElement cases, string folder)
    {
        foreach (var c in cases.EnumerateArray())
        {
            var logits = MemoryMarshal.Cast<byte, float>(File.ReadAllBytes(Path.Combine(folder, c.GetProperty("logits").GetString()!))).ToArray();
            yield return (Ints(c.GetProperty("tokens")), Ints(c.GetProperty("rows")), logits, c.GetProperty("std").GetDouble());
        }
    }

    private static int[] Ints(JsonElement array) => [.. array.EnumerateArray().Select(v => v.GetInt32())];

    /// <summary>rms(ours − expected) / std of one case, all tokens in one step.</summary>
    public static double Error(ModelConfig config, ModelWeights weights, int[] tokens, int[] rows, float[] expected, double std)
    {
        var program = ArchitectureRegistry.Build(config, weights);
        var blocks = (tokens.Length + BlockSize - 1) / BlockSize;
        var limits = new StepLimits(tokens.Length, 1, rows.Length, BlockSize, [.. Enumerable.Repeat(blocks, program.KvGroups.Count)], blocks);
        using var executor = new ReferenceExecutor(program, limits, new ReferenceOptions { Threads = 1 });
        var batch = new StepBatch(limits, program.KvGroups.Count) { TokenCount = tokens.Length, SequenceCount = 1, LogitRowCount = rows.Length };
        for (var i = 0; i < tokens.Length; i++)
        {
            (batch.Tokens[i], batch.Positions[i]) = (tokens[i], i);
            for (var g = 0; g < program.KvGroups.Count; g++) batch.SlotMapping(g)[i] = i;
        }
        (batch.QueryStart[0], batch.QueryStart[1], batch.ContextLen[0]) = (0, tokens.Length, tokens.Length);
        batch.RopeVariant[0] = config.Rope.OriginalContextLen > 0 && tokens.Length > config.Rope.OriginalContextLen ? 1 : 0;
        for (var g = 0; g < program.KvGroups.Count; g++)
            for (var i = 0; i < blocks; i++) batch.BlockTable(g, 0)[i] = i;
        for (var r = 0; r < rows.Length; r++) (batch.LogitRows[r], batch.Wanted[r]) = (rows[r], (int)LogitsWanted.Full);
        executor.Run(batch);
        var sum = 0.0;
        for (var r = 0; r < rows.Length; r++)
        {
            var ours = executor.Logits(r);
            for (var i = 0; i < ours.Length; i++) sum += Math.Pow(ours[i] - expected[r * ours.Length + i], 2);
        }
        return Math.Sqrt(sum / expected.Length) / std;
    }
}
