using System.Text;
using AiFabrik.Engine.Tests.Text.Fuzzing;
using AiFabrik.Engine.Text;
using Xunit;

namespace AiFabrik.Engine.Tests.Text.Templates;

public sealed class TemplateFuzzTests
{
    private const int DefaultIterations = 3000;

    private static readonly TemplateLimits Limits = new() { StepsMax = 100_000, ScratchBytesMax = 8 << 20 };

    private static readonly string[] Pieces =
    [
        "{{", "}}", "{%", "%}", "{#", "#}", "-", "+", "'", "\"", "(", ")", "[", "]", "{", "}", "|", "~", "**", "//", " is ", " not ", " in ",
        " if ", " else ", "{% for x in messages %}", "{% endfor %}", "{% set x = 1 %}", "{% endif %}", "messages", "loop", ".items()",
        "|tojson", "|length", "|join", "[1:]", "[::-1]", "9999999999999999999", "1e308", "\\u", "\\N{", "%s", "{}", "\n", " ", "\u00df", "\ud83d\ude00", "\0",
    ];

    /// <summary>Bytes that compiling may take: nodes of the syntax tree, and the first blocks of the scratch.</summary>
    private static long BytesMax(long templateBytes) => (16 << 20) + (2048 * templateBytes);

    [Fact]
    public void Mutated_templates_neither_crash_nor_exceed_their_bounds()
    {
        TemplateCase[] cases =
        [
            .. TemplateCases.Read("jinja.json", "cases").Where(item => item.Template.Length < 20_000),
            .. TemplateCases.Read("jinja_published.json", "cases").Where(item => item.Template.Length < 20_000),
        ];
        using var scratch = new TemplateScratch();
        TextFuzz.Run("templates", TextFuzz.Iterations(DefaultIterations), BytesMax, random =>
        {
            TemplateCase item = cases[random.Next(cases.Length)];
            string other = cases[random.Next(cases.Length)].Template;
            string text = random.Next(3) == 0 ? Mutate(random, item.Template, other) : TemplateMutator.Mutate(random, item.Template, other);
            byte[] template = Encoding.UTF8.GetBytes(text);
            if (!ChatTemplate.TryCompile(template, out ChatTemplate? compiled, out string error)) return (template.Length, error);
            compiled.Render(Encoding.UTF8.GetBytes(item.Request), GoldenTemplateTests.Options(item) with { Limits = Limits }, scratch);
            Check(scratch);
            return (template.Length, null);
        });
    }

    [Fact]
    public void Mutated_requests_neither_crash_nor_exceed_their_bounds()
    {
        TemplateCase[] cases = [.. TemplateCases.Read("jinja.json", "cases").Where(item => item.Name.StartsWith("whole", StringComparison.Ordinal)
            || item.Name.StartsWith("context", StringComparison.Ordinal))];
        using var scratch = new TemplateScratch();
        TextFuzz.Run("requests of templates", TextFuzz.Iterations(DefaultIterations), BytesMax, random =>
        {
            TemplateCase item = cases[random.Next(cases.Length)];
            if (!ChatTemplate.TryCompile(Encoding.UTF8.GetBytes(item.Template), out ChatTemplate? compiled, out string error)) return (item.Template.Length, error);
            byte[] request = Encoding.UTF8.GetBytes(item.Request);
            for (int k = random.Next(1, 4); k > 0; k--)
            {
                int at = random.Next(request.Length);
                switch (random.Next(4))
                {
                    case 0: request[at] = (byte)random.Next(256); break;
                    case 1: request = [.. request[..at], .. request[(at + random.Next(Math.Min(20, request.Length - at)))..], (byte)'}']; break;
                    case 2: request = [.. request[..at], .. Encoding.UTF8.GetBytes(Pieces[random.Next(Pieces.Length)]), .. request[at..]]; break;
                    default: request[at] = (byte)"{}[]\",:0n\\"[random.Next(10)]; break;
                }
            }

            TemplateStatus status = compiled.Render(request, GoldenTemplateTests.Options(item) with { Limits = Limits }, scratch);
            Check(scratch);
            return (request.Length + item.Template.Length, status == TemplateStatus.Ok ? null : $"The rendering ended with {status}.");
        });
    }

    [Theory]
    [InlineData("[", 200_000)]
    [InlineData("{\"a\":", 200_000)]
    [InlineData("[[1],", 1000)]
    public void Deeply_nested_requests_are_refused(string open, int levels)
    {
        Assert.True(ChatTemplate.TryCompile("{{ messages }}"u8, out ChatTemplate? template, out _));
        using var scratch = new TemplateScratch();
        byte[] request = Encoding.UTF8.GetBytes("{\"messages\":" + string.Concat(Enumerable.Repeat(open, levels)));
        Assert.NotEqual(TemplateStatus.Ok, template.Render(request, default, scratch));
    }

    private static void Check(TemplateScratch scratch)
    {
        Assert.True(scratch.Interpreter.Text.AllocatedBytes + scratch.Interpreter.Cells.AllocatedBytes <= Limits.ScratchBytesMax);
        int total = 0;
        foreach (TextRun run in scratch.Runs) total += run.Length;
        Assert.Equal(scratch.Text.Length, total);
    }

    private static string Mutate(Random random, string template, string other)
    {
        var text = new StringBuilder(template);
        for (int k = random.Next(1, 5); k > 0; k--)
        {
            int at = random.Next(text.Length + 1);
            switch (random.Next(4))
            {
                case 0: text.Insert(at, Pieces[random.Next(Pieces.Length)]); break;
                case 1 when at < text.Length: text.Remove(at, random.Next(Math.Min(12, text.Length - at)) + 1); break;
                case 2 when other.Length > 0:
                    int from = random.Next(other.Length);
                    text.Insert(at, other.AsSpan(from, random.Next(Math.Min(40, other.Length - from)) + 1));
                    break;
                default:
                    if (at < text.Length) text[at] = (char)random.Next(32, 127);
                    break;
            }
        }

        return text.ToString();
    }
}
