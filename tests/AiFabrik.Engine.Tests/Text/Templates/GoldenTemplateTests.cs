using System.Text;
using System.Text.Json.Nodes;
using AiFabrik.Engine.Text;
using Xunit;

namespace AiFabrik.Engine.Tests.Text.Templates;

public sealed class GoldenTemplateTests(ITestOutputHelper output)
{
    [Theory]
    [InlineData("jinja.json", "cases", 1)]
    [InlineData("jinja.json", "package_cases", 0)]
    [InlineData("jinja_published.json", "cases", 0)]
    public void Every_case_renders_as_the_reference_does(string file, string list, int least)
    {
        using var scratch = new TemplateScratch();
        var failures = new List<string>();
        int count = 0;
        foreach (TemplateCase item in TemplateCases.Read(file, list))
        {
            count++;
            string? failure = Check(item, scratch);
            if (failure is not null) failures.Add(failure);
        }

        output.WriteLine($"{file} {list}: {count - failures.Count} of {count} pass");
        if (count == 0) Assert.Skip($"{file} {list}: the npm packages are not in {TemplateCases.PackageRoot}");
        Assert.True(count >= least);
        Assert.True(failures.Count == 0, $"{failures.Count} of {count}\n" + string.Join('\n', failures.Take(400)));
    }

    [Fact]
    public void Every_hostile_template_is_refused()
    {
        using var scratch = new TemplateScratch();
        var failures = new List<string>();
        foreach (TemplateCase item in TemplateCases.Read("jinja.json", "hostile"))
        {
            long started = Environment.TickCount64;
            if (Outcome(item, scratch) == TemplateStatus.Ok) failures.Add($"{item.Name}: rendered");
            output.WriteLine($"{item.Name}: {scratch.Status} {scratch.Error} {scratch.Limit} in {Environment.TickCount64 - started} ms");
        }

        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    /// <summary>Null where the template does not compile.</summary>
    internal static TemplateStatus? Outcome(TemplateCase item, TemplateScratch scratch)
    {
        if (!ChatTemplate.TryCompile(Encoding.UTF8.GetBytes(item.Template), out ChatTemplate? template, out _)) return null;
        return template.Render(Encoding.UTF8.GetBytes(item.Request), Options(item), scratch);
    }

    internal static TemplateOptions Options(TemplateCase item) => new()
    {
        BosText = item.Bos is null ? default(ReadOnlyMemory<byte>?) : Encoding.UTF8.GetBytes(item.Bos),
        EosText = item.Eos is null ? default(ReadOnlyMemory<byte>?) : Encoding.UTF8.GetBytes(item.Eos),
        Now = item.Now,
    };

    private static string? Check(TemplateCase item, TemplateScratch scratch)
    {
        if (!ChatTemplate.TryCompile(Encoding.UTF8.GetBytes(item.Template), out ChatTemplate? template, out string error))
            return item.Rendered is null && item.Error is JsonObject ? null : $"{item.Name}: {error}";
        TemplateStatus status = template.Render(Encoding.UTF8.GetBytes(item.Request), Options(item), scratch);
        if (item.Rendered is not null)
        {
            if (status != TemplateStatus.Ok) return $"{item.Name}: {status} {scratch.Error} {scratch.Limit} {scratch.Field} {Encoding.UTF8.GetString(scratch.ErrorText)}";
            string text = Encoding.UTF8.GetString(scratch.Text);
            return text == item.Rendered ? null : $"{item.Name}: {Cut(text)}\n      instead of {Cut(item.Rendered)}";
        }

        if (status == TemplateStatus.Ok) return $"{item.Name}: {Cut(Encoding.UTF8.GetString(scratch.Text))}\n      instead of {item.Error}";
        if (item.Error is JsonValue message)
        {
            string told = Encoding.UTF8.GetString(scratch.ErrorText);
            return told.Contains((string)message!, StringComparison.Ordinal) ? null : $"{item.Name}: {status} '{told}' instead of '{message}'";
        }

        return null;
    }

    private static string Cut(string text) => text.Length > 300 ? text[..300] : text;
}
