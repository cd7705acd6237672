using System.Buffers.Binary;
using System.Text;
using System.Text.Json.Nodes;
using AiFabrik.Engine.Text;
using Xunit;

namespace AiFabrik.Engine.Tests.Text.Templates;

public sealed class DefaultModelTemplateTests
{
    /// <summary>The template of the default model: the value of one key in the metadata of its first file.</summary>
    internal static ChatTemplate Load()
    {
        string file = Path.Combine(TemplateCases.Root, "..", "..", "models", "SmolLM2-135M-Instruct-Q4_1-00001-of-00003.gguf");
        if (!File.Exists(file)) file = Path.Combine(TemplateCases.PackageRoot, "..", "..", "..", "..", "models", Path.GetFileName(file));
        ReadOnlySpan<byte> bytes = File.ReadAllBytes(file);
        ReadOnlySpan<byte> key = "tokenizer.chat_template"u8;
        int at = bytes.IndexOf(key) + key.Length + sizeof(int);
        int length = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes[at..]);
        Assert.True(ChatTemplate.TryCompile(bytes.Slice(at + sizeof(long), length), out ChatTemplate? template, out string error), error);
        return template;
    }

    [Fact]
    public void Renderings_are_the_reference_s()
    {
        ChatTemplate template = Load();
        using var scratch = new TemplateScratch();
        int count = 0;
        foreach (string line in File.ReadLines(Path.Combine(TemplateCases.Root, "smollm2", "renderings.jsonl")))
        {
            JsonNode item = JsonNode.Parse(line)!;
            TemplateStatus status = template.Render(Encoding.UTF8.GetBytes(item["request"]!.ToJsonString()), default, scratch);
            Assert.Equal(TemplateStatus.Ok, status);
            Assert.Equal((string)item["rendered"]!, Encoding.UTF8.GetString(scratch.Text));
            count++;
        }

        Assert.True(count > 0);
    }

    [Theory]
    [InlineData(10)]
    [InlineData(1_000_000)]
    public void A_rendering_allocates_nothing_once_its_scratch_has_grown(int contentLength)
    {
        ChatTemplate template = Load();
        using var scratch = new TemplateScratch();
        byte[] request = Encoding.UTF8.GetBytes(
            $$"""{"messages":[{"role":"user","content":"{{new string('x', contentLength)}}\n"},{"role":"assistant","content":"y"}]}""");
        for (int i = 0; i < 3; i++) Assert.Equal(TemplateStatus.Ok, template.Render(request, default, scratch));
        Assert.Equal(0, Allocations.Steady(() => template.Render(request, default, scratch)));
        Assert.True(scratch.Text.Length > contentLength);
    }

    [Fact]
    public void Nothing_of_a_request_is_left_after_clearing()
    {
        ChatTemplate template = Load();
        using var scratch = new TemplateScratch();
        byte[] secret = "A-very-secret-thing"u8.ToArray();
        template.Render(Encoding.UTF8.GetBytes("""{"messages":[{"role":"user","content":"A-very-secret-\u0074hing"}]}"""), default, scratch);
        Assert.True(scratch.Text.IndexOf(secret) >= 0);
        scratch.Clear();
        Assert.True(scratch.Interpreter.Text.IsZero());
        Assert.True(scratch.Interpreter.Cells.IsZero());
        Assert.Equal(0, scratch.Text.Length);
    }
}
