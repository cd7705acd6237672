using System.Text;
using System.Text.Json;
using AiFabrik.Engine.Text.Tokenization.Bpe;
using AiFabrik.Engine.Text.Tokenization.Json;
using Xunit;

namespace AiFabrik.Engine.Tests.Text.Tokenization;

/// <summary>What the tree of merges says is what merging each token's own text gives.</summary>
public sealed class MergeTreeTests
{
    [Theory]
    [InlineData("deepseek_v3")]
    [InlineData("gemma3")]
    [InlineData("gpt4o")]
    [InlineData("gptoss")]
    [InlineData("llama2")]
    [InlineData("llama3")]
    [InlineData("qwen3")]
    public void Real_vocabularies_have_a_tree_and_it_agrees_with_merging(string name)
    {
        Assert.SkipWhen(TokenizerCases.RealFolder is null, "The real tokenizers are not there: ./build.sh setup fetches them.");
        var file = File.ReadAllBytes(Path.Combine(TokenizerCases.RealFolder!, name, "tokenizer.json"));
        Assert.True(TokenizerJson.TryRead(file, default, out var parts, out var error), error);
        var (model, isByteLevel) = (parts.Model, parts.Model.Kind == SymbolKind.Bytes);
        Assert.NotNull(model.Tree);

        // All the merges of the file, not only those that the tree keeps.
        using var json = JsonDocument.Parse(file);
        var scanner = new JsonScanner(Encoding.UTF8.GetBytes(json.RootElement.GetProperty("model").GetRawText()));
        var fields = ModelReader.ReadFields(ref scanner);
        var pieces = isByteLevel ? ModelReader.Unmap(fields.Vocab!) : fields.Vocab!;
        var (table, scratch) = (fields.Merges!.Resolve(model.Pieces, null, isByteLevel).ToTable(), new BpeScratch());
        for (var id = 0; id < model.TokenCount; id++)
        {
            if (!pieces.Has(id) || pieces.Lengths[id] == 0) continue;
            scratch.EnsureSymbols(pieces.Lengths[id] + 1);
            var n = model.Symbols(scratch, pieces.Text, pieces.Starts[id], pieces.Lengths[id]);
            var isReached = n > 0 && Merger.MergeSmall(table, scratch, scratch.Symbols.AsSpan(0, n)) == 1 && scratch.Small[0] == id;
            Assert.Equal(isReached, model.Tree.IsReachable[id]);
            if (!isReached || n == 1) continue;
            Assert.True(model.Tree.TryGetParts(id, out var left, out var right));
            Assert.Equal((scratch.LastLeft, scratch.LastRight), (left, right));
        }
    }

    [Fact]
    public void Random_merges_agree_with_merging_or_have_no_tree()
    {
        var random = new Random(31);
        var trees = 0;
        for (var i = 0; i < 2000; i++)
        {
            var letters = random.Next(1, 4);
            var spellings = Enumerable.Range(0, letters).Select(c => ((char)('a' + c)).ToString()).ToList();
            var pairs = new List<(int Left, int Right, int Symbol)>();
            for (var n = random.Next(1, 40); n > 0; n--)
            {
                var (left, right) = (random.Next(spellings.Count), random.Next(spellings.Count));
                var text = spellings[left] + spellings[right];
                if (text.Length > 60) continue;
                if (!spellings.Contains(text)) spellings.Add(text);
                pairs.Add((left, right, spellings.IndexOf(text)));
            }

            if (random.Next(4) == 0) pairs = [.. pairs.OrderBy(_ => random.Next())];
            var rules = new MergeRules(pairs.Count);
            for (var r = 0; r < pairs.Count; r++) (rules.Left[r], rules.Right[r], rules.Symbol[r]) = pairs[r];
            var atoms = new bool[spellings.Count];
            atoms.AsSpan(0, letters).Fill(true);
            if (MergeTree.TryBuild(rules, atoms) is not { } tree) continue;
            trees++;
            var (table, scratch) = (rules.ToTable(), new BpeScratch());
            for (var id = 0; id < spellings.Count; id++)
            {
                var isReached = Merger.MergeSmall(table, scratch, [.. spellings[id].Select(c => c - 'a')]) == 1 && scratch.Small[0] == id;
                Assert.True(isReached == tree.IsReachable[id], $"round {i}: {spellings[id]}");
                if (isReached && spellings[id].Length > 1)
                {
                    Assert.True(tree.TryGetParts(id, out var left, out var right));
                    Assert.Equal((scratch.LastLeft, scratch.LastRight), (left, right));
                }
            }

            AssertBordersAgree(tree, table, scratch, spellings);
        }

        Assert.True(trees > 600, $"{trees} trees");
    }

    private static void AssertBordersAgree(MergeTree tree, MergeTable table, BpeScratch scratch, List<string> spellings)
    {
        for (var left = 0; left < spellings.Count; left++)
        {
            for (var right = 0; right < spellings.Count; right++)
            {
                if (!tree.IsReachable[left] || !tree.IsReachable[right]) continue;
                var n = Merger.MergeSmall(table, scratch, [.. (spellings[left] + spellings[right]).Select(c => c - 'a')]);
                if (!tree.TryTellFinal(left, right, out var isFinal)) continue;
                Assert.True((n == 2 && scratch.Small[0] == left && scratch.Small[1] == right) == isFinal, $"{spellings[left]} {spellings[right]}");
            }
        }
    }
}
