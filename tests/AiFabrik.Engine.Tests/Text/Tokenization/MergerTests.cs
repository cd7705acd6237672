using AiFabrik.Engine.Text.Tokenization.Bpe;
using Xunit;

namespace AiFabrik.Engine.Tests.Text.Tokenization;

/// <summary>The three ways to merge give the same, also where merges come before those that make their parts.</summary>
public sealed class MergerTests
{
    [Fact]
    public void Chunks_and_heap_agree_with_merging_the_best_pair_each_time()
    {
        var random = new Random(5);
        var iterations = int.TryParse(Environment.GetEnvironmentVariable("AIFABRIK_FUZZ_ITERATIONS"), out var n) ? n : 400;
        var (byChunks, scratch) = (0, new BpeScratch());
        for (var i = 0; i < iterations; i++)
        {
            var letters = random.Next(1, 5);
            var (table, pairs) = RandomMerges(random, letters);
            var symbols = new int[random.Next(1, 500)];
            var period = random.Next(1, 40);
            for (var at = 0; at < symbols.Length; at++) symbols[at] = at >= period && i % 2 == 0 ? symbols[at - period] : random.Next(letters);
            var wanted = MergeBest(pairs, symbols);

            Assert.Equal(wanted, MergeWhole(table, scratch, symbols));
            scratch.EnsureSymbols(symbols.Length + 1);
            symbols.CopyTo(scratch.Symbols, 0);
            if (Merger.TryMergeChunks(table, null, scratch, symbols.Length, true, out var count))
            {
                byChunks++;
                Assert.Equal(wanted, scratch.Tokens[..count]);
            }

            symbols.CopyTo(scratch.Symbols, 0);
            count = Merger.MergeHeap(table, scratch, symbols.Length);
            Assert.Equal(wanted, scratch.Tokens[..count]);
        }

        Assert.True(byChunks > iterations * 9 / 10, $"{byChunks} of {iterations} by chunks");
    }

    private static int[] MergeWhole(MergeTable table, BpeScratch scratch, int[] symbols)
    {
        var count = Merger.MergeSmall(table, scratch, symbols);
        return scratch.Small[..count];
    }

    /// <summary>Tokens put together at random; their ranks in any order.</summary>
    private static (MergeTable Table, Dictionary<(int, int), (int Rank, int Symbol)> Pairs) RandomMerges(Random random, int letters)
    {
        var spellings = new List<string>();
        for (var i = 0; i < letters; i++) spellings.Add(((char)('a' + i)).ToString());
        var pairs = new Dictionary<(int, int), (int, int)>();
        var count = random.Next(1, 40);
        int[] ranks = [.. Enumerable.Range(0, count)];
        if (random.Next(2) == 0) random.Shuffle(ranks);
        for (var i = 0; i < count; i++)
        {
            var (left, right) = (random.Next(spellings.Count), random.Next(spellings.Count));
            var text = spellings[left] + spellings[right];
            if (text.Length > 60 || pairs.ContainsKey((left, right))) continue;
            var symbol = spellings.IndexOf(text);
            if (symbol < 0)
            {
                symbol = spellings.Count;
                spellings.Add(text);
            }

            pairs[(left, right)] = (ranks[i], symbol);
        }

        var table = new MergeTable(count);
        foreach (var ((left, right), (rank, symbol)) in pairs) table.Set(left, right, rank, symbol);
        return (table, pairs);
    }

    private static int[] MergeBest(Dictionary<(int, int), (int Rank, int Symbol)> pairs, int[] symbols)
    {
        var ids = symbols.ToList();
        while (true)
        {
            var (best, rank) = (-1, int.MaxValue);
            for (var i = 0; i + 1 < ids.Count; i++)
            {
                if (pairs.TryGetValue((ids[i], ids[i + 1]), out var merge) && merge.Rank < rank) (best, rank) = (i, merge.Rank);
            }

            if (best < 0) return [.. ids];
            ids[best] = pairs[(ids[best], ids[best + 1])].Symbol;
            ids.RemoveAt(best + 1);
        }
    }
}
