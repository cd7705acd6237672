using System.Text;
using System.Text.Json;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Commands.Model;

/// <summary>The chat templates that belong to a model's files.</summary>
internal static class ModelTemplates
{
    private const string Default = "default";
    private const string GgufKey = "tokenizer.chat_template";

    /// <summary>Null: the model has none. A template that cannot be used is a <see cref="ModelFormatException"/>.</summary>
    public static ChatTemplateSet? Load(ModelFiles files) => files.Gguf is { } gguf ? FromGguf(files.Path, gguf.Metadata) : FromDirectory(files.Directory!);

    /// <summary>Those of a GGUF file or a directory, whatever else is there.</summary>
    public static ChatTemplateSet? Load(string path)
    {
        if (ModelLoaderTokenizer.IsDirectory(path, out var gguf)) return FromDirectory(path);
        if (!GgufFile.TryOpen(gguf, out var file, out var error)) throw new ModelFormatException(error);
        using (file) return FromGguf(gguf, file.Metadata);
    }

    /// <summary>tokenizer.chat_template, and tokenizer.chat_template.NAME for each name that tokenizer.chat_templates lists.</summary>
    public static ChatTemplateSet? FromGguf(string path, GgufMetadata metadata)
    {
        var set = new ChatTemplateSet();
        if (metadata.TryGetString(GgufKey, out var source)) Add(set, path, Default, source);
        if (metadata.TryGetStrings("tokenizer.chat_templates", out var names))
        {
            for (var i = 0; i < names.Count; i++)
            {
                var name = Encoding.UTF8.GetString(names[i]);
                if (metadata.TryGetString($"{GgufKey}.{name}", out source)) Add(set, path, name, source);
            }
        }
        return set.Names.Count > 0 ? set : null;
    }

    /// <summary>chat_template.jinja beside the tokenizer wins over chat_template in tokenizer_config.json (a string, or a list of named ones), as in transformers.</summary>
    public static ChatTemplateSet? FromDirectory(string folder)
    {
        var set = new ChatTemplateSet();
        var configPath = Path.Combine(folder, "tokenizer_config.json");
        if (File.Exists(configPath)) AddConfig(set, configPath);
        var file = Path.Combine(folder, "chat_template.jinja");
        if (File.Exists(file)) Add(set, file, Default, File.ReadAllBytes(file));
        var more = Path.Combine(folder, "additional_chat_templates");
        if (Directory.Exists(more))
            foreach (var named in Directory.GetFiles(more, "*.jinja").Order(StringComparer.Ordinal)) Add(set, named, Path.GetFileNameWithoutExtension(named), File.ReadAllBytes(named));
        return set.Names.Count > 0 ? set : null;
    }

    private static void AddConfig(ChatTemplateSet set, string path)
    {
        try
        {
            using var config = JsonDocument.Parse(File.ReadAllBytes(path));
            if (config.RootElement.ValueKind != JsonValueKind.Object || !config.RootElement.TryGetProperty("chat_template", out var template)) return;
            if (template.ValueKind == JsonValueKind.String) Add(set, path, Default, Encoding.UTF8.GetBytes(template.GetString()!));
            if (template.ValueKind != JsonValueKind.Array) return;
            foreach (var named in template.EnumerateArray())
                if (named.ValueKind == JsonValueKind.Object && named.TryGetProperty("name", out var name) && named.TryGetProperty("template", out var source)
                    && name.ValueKind == JsonValueKind.String && source.ValueKind == JsonValueKind.String)
                    Add(set, path, name.GetString()!, Encoding.UTF8.GetBytes(source.GetString()!));
        }
        catch (JsonException)
        {
            throw new ModelFormatException($"{path} is not valid JSON.");
        }
    }

    private static void Add(ChatTemplateSet set, string path, string name, ReadOnlySpan<byte> source) =>
        set.Add(name, ChatTemplate.TryCompile(source, out var template, out var error) ? template : throw new ModelFormatException($"{path}: the chat template '{name}' cannot be used: {error.TrimEnd('.')}."));
}
