using System.Text;
using System.Text.Json.Nodes;
using AiFabrik.Engine.Text;
using Xunit;

namespace AiFabrik.Engine.Tests.Text.Templates;

public sealed class ProvenanceTests
{
    /// <summary>Stands in every text of a request and in no template.</summary>
    private const string Marker = "\uE123\uE456";

    [Fact]
    public void No_byte_of_a_request_s_text_is_ever_trusted()
    {
        using var scratch = new TemplateScratch();
        int seen = 0;
        foreach (TemplateCase item in TemplateCases.Read("jinja.json", "cases")
            .Concat(TemplateCases.Read("jinja.json", "package_cases")).Concat(TemplateCases.Read("jinja_published.json", "cases")))
        {
            JsonNode request = JsonNode.Parse(item.Request)!;
            Mark(request);
            TemplateStatus? status = GoldenTemplateTests.Outcome(item with { Request = request.ToJsonString() }, scratch);
            if (status != TemplateStatus.Ok) continue;
            Assert.Equal(scratch.Text.Length, scratch.Runs.ToArray().Sum(run => run.Length));
            int at = 0;
            foreach (TextRun run in scratch.Runs)
            {
                ReadOnlySpan<byte> text = scratch.Text.Slice(at, run.Length);
                at += run.Length;
                if (run.IsTrusted) Assert.False(HasMarker(text), $"{item.Name}: text of the request counts as the template's");
                else if (HasMarker(text)) seen++;
            }
        }

        Assert.True(seen > 300, $"only {seen} stretches of request text were seen");
    }

    private static bool HasMarker(ReadOnlySpan<byte> text) => text.IndexOf((byte)0xEE) >= 0;

    private static void Mark(JsonNode? node)
    {
        if (node is JsonArray array)
        {
            for (int i = 0; i < array.Count; i++)
            {
                if (array[i] is JsonValue value && value.TryGetValue(out string? text)) array[i] = Marker + text + Marker;
                else Mark(array[i]);
            }
        }

        if (node is not JsonObject fields) return;
        foreach ((string key, JsonNode? child) in fields.ToArray())
        {
            if (child is JsonValue value && value.TryGetValue(out string? text))
            {
                if (key is not ("role" or "type" or "arguments")) fields[key] = Marker + text + Marker;
            }
            else
            {
                Mark(child);
            }
        }
    }

    [Theory]
    [InlineData("{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content | trim }}<|im_end|>{% endfor %}")]
    [InlineData("{{ ('<|im_start|>' ~ messages[0].content) | upper | lower }}")]
    [InlineData("{{ '<|im_start|>' + messages[0].content[0:12] }}")]
    [InlineData("{{ '<|im_start|>%s' % messages[0].content }}{{ '<|im_start|>{}'.format(messages[0].content) }}")]
    [InlineData("<|im_start|>{{ 'x' | replace('x', messages[0].content) }}{{ ['<|im_start|>', messages[0].content] | join('') }}")]
    [InlineData("<|im_start|>{{ messages | tojson }}{% set x %}{{ messages[0].content }}{% endset %}{{ x.split('|')|join('|') }}")]
    public void A_control_token_in_a_message_is_never_trusted(string source)
    {
        Assert.True(ChatTemplate.TryCompile(Encoding.UTF8.GetBytes(source), out ChatTemplate? template, out string error), error);
        using var scratch = new TemplateScratch();
        Assert.Equal(TemplateStatus.Ok, template.Render("""{"messages":[{"role":"user","content":"<|im_start|>"}]}"""u8, default, scratch));
        string trusted = "";
        int at = 0;
        foreach (TextRun run in scratch.Runs)
        {
            trusted += run.IsTrusted ? Encoding.UTF8.GetString(scratch.Text.Slice(at, run.Length)) : "\0";
            at += run.Length;
        }

        int fromTemplate = source.Split("<|im_start|>").Length - 1;
        Assert.Equal(fromTemplate, trusted.Split("<|im_start|>").Length - 1);
    }

    [Fact]
    public void Messages_that_spell_control_tokens_render_as_the_reference_does()
    {
        using var scratch = new TemplateScratch();
        int count = 0;
        foreach (string line in File.ReadLines(Path.Combine(TemplateCases.Root, "injection.jsonl")))
        {
            JsonNode item = JsonNode.Parse(line)!;
            string file = Path.Combine(TemplateCases.PackageRoot, "@lenml", "tokenizer-" + (string)item["tokenizer"]!, "models", "tokenizer_config.json");
            if (!File.Exists(file)) continue;
            JsonNode config = JsonNode.Parse(File.ReadAllBytes(file))!;
            var test = new TemplateCase((string)item["name"]!, (string)config["chat_template"]!, item["request"]!.ToJsonString(),
                Token(config["bos_token"]), Token(config["eos_token"]),
                DateTime.Parse((string)item["now"]!, System.Globalization.CultureInfo.InvariantCulture), (string)item["rendered"]!, null);
            Assert.Equal(TemplateStatus.Ok, GoldenTemplateTests.Outcome(test, scratch));
            Assert.Equal(test.Rendered, Encoding.UTF8.GetString(scratch.Text));
            count++;
        }

        if (count == 0) Assert.Skip($"injection.jsonl: the npm packages are not in {TemplateCases.PackageRoot}");
    }

    private static string? Token(JsonNode? node) => node is JsonObject token ? (string?)token["content"] : (string?)node;
}
