using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace AiFabrik.Engine.Tests.Text.Templates;

/// <summary>One golden rendering: a request, a template, and what the reference makes of them.</summary>
public sealed record TemplateCase(
    string Name, string Template, string Request, string? Bos, string? Eos, DateTime Now, string? Rendered, JsonNode? Error);

/// <summary>Reads the golden cases; <c>AIFABRIK_GOLDEN</c> names another root of the same layout.</summary>
internal static class TemplateCases
{
    public static string Root { get; } = Environment.GetEnvironmentVariable("AIFABRIK_GOLDEN") ?? Path.Combine(RepositoryRoot(), "tests", "golden");

    /// <summary>Where npm has put the packages that published templates come from.</summary>
    public static string PackageRoot { get; } = Path.Combine(RepositoryRoot(), "tests", ".cache", "templates", "node_modules");

    private static string RepositoryRoot()
    {
        string? folder = AppContext.BaseDirectory;
        while (folder is not null && !File.Exists(Path.Combine(folder, "AiFabrik.sln"))) folder = Path.GetDirectoryName(folder);
        return folder ?? throw new InvalidOperationException("the tests run outside of the repository");
    }

    public static IEnumerable<TemplateCase> Read(string file, string list)
    {
        JsonNode root = JsonNode.Parse(File.ReadAllBytes(Path.Combine(Root, file)))!;
        foreach (JsonNode? item in root[list]!.AsArray())
        {
            JsonObject fields = item!.AsObject();
            string? template = (string?)fields["template"] ?? PackageTemplate(fields);
            if (template is null) continue;
            yield return new TemplateCase(
                (string)fields["name"]!, template, fields["request"]!.ToJsonString(), (string?)fields["bos"], (string?)fields["eos"],
                DateTime.Parse((string)fields["now"]!, System.Globalization.CultureInfo.InvariantCulture),
                (string?)fields["rendered"], fields["error"]);
        }
    }

    private static readonly Dictionary<string, List<string>> Published = [];

    private static string? PackageTemplate(JsonObject fields)
    {
        string folder = Path.Combine(PackageRoot, (string)fields["package"]!);
        string? template = null;
        if (fields["index"] is { } index)
        {
            string file = Path.Combine(folder, "src", "chat-template-automap.ts");
            if (!File.Exists(file)) return null;
            if (!Published.TryGetValue(file, out List<string>? all)) Published[file] = all = ReadPublished(file);
            template = all[(int)index];
        }
        else
        {
            string file = Path.Combine(folder, "models", "tokenizer_config.json");
            if (!File.Exists(file)) return null;
            template = (string?)JsonNode.Parse(File.ReadAllBytes(file))!["chat_template"];
        }

        string hash = Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(template!)));
        return fields["sha256"] is null || hash == (string?)fields["sha256"] ? template : throw new InvalidOperationException($"{fields["name"]}: another template than the case's");
    }

    private static List<string> ReadPublished(string file)
    {
        var all = new List<string>();
        foreach (string line in File.ReadLines(file))
        {
            string trimmed = line.Trim();
            if (trimmed.StartsWith("gguf: \"", StringComparison.Ordinal) && trimmed.EndsWith("\",", StringComparison.Ordinal))
                all.Add(JsonSerializer.Deserialize<string>(trimmed[6..^1])!);
        }

        return all;
    }
}
