using System.Text;
using System.Text.Json;
using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Commands.Model;

/// <summary>A model's text side alone: tokenizer, chat templates, BOS and EOS. Weights need not be there.</summary>
internal sealed class TextFiles
{
    private TextFiles(Tokenizer tokenizer, Func<ChatTemplateSet?> templates)
    {
        Tokenizer = tokenizer;
        _templates = templates;
    }

    private readonly Func<ChatTemplateSet?> _templates;

    public Tokenizer Tokenizer { get; }

    /// <summary>Compiled when asked for: a template that cannot be used is no reason not to tokenize.</summary>
    public ChatTemplateSet? Templates => _templates();

    public ReadOnlyMemory<byte>? BosText => Tokenizer.BosText;
    public ReadOnlyMemory<byte>? EosText => Tokenizer.EosText;

    public static Tokenizer OpenTokenizer(string? path) => Open(path).Tokenizer;

    public static TextFiles Open(string? path)
    {
        var found = Places.Model(path) ?? throw new CommandFailure("No model was given and none is in a folder 'models' here. Give one with --model PATH.");
        if (Directory.Exists(found) && File.Exists(Path.Combine(found, "tokenizer.json"))) return OpenDirectory(found);
        if (Directory.Exists(found)) found = Directory.GetFiles(found, "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault() ?? throw new CommandFailure($"{found} has neither tokenizer.json nor a GGUF file.");
        if (!File.Exists(found)) throw new CommandFailure($"There is no model at {found}.");
        return OpenGguf(found);
    }

    private static TextFiles OpenDirectory(string folder)
    {
        var configPath = Path.Combine(folder, "tokenizer_config.json");
        var config = File.Exists(configPath) ? File.ReadAllBytes(configPath) : [];
        if (!Tokenizer.TryLoadJson(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")), config, out var tokenizer, out var error)) throw new CommandFailure($"{folder}: {error}");
        return new TextFiles(tokenizer, () => DirectoryTemplates(folder, config));
    }

    /// <summary>chat_template.jinja beside the tokenizer wins over the one in tokenizer_config.json, as in transformers.</summary>
    private static ChatTemplateSet? DirectoryTemplates(string folder, byte[] config)
    {
        var file = Path.Combine(folder, "chat_template.jinja");
        string? error;
        if (File.Exists(file)) return ChatTemplate.TryCompile(File.ReadAllBytes(file), out var single, out error) ? ChatTemplateSet.Of(single) : throw new CommandFailure($"{file}: {error}");
        if (config.Length == 0) return null;
        return ChatTemplateSet.TryLoadJson(config, out var set, out error) ? set : throw new CommandFailure($"{folder}: {error}");
    }

    private static TextFiles OpenGguf(string path)
    {
        if (!GgufFile.TryOpen(path, out var file, out var error)) throw new CommandFailure(error);
        if (!Tokenizer.TryLoadGguf(file.Metadata, out var tokenizer, out error)) throw new CommandFailure($"{path}: {error}");
        return new TextFiles(tokenizer, () => ChatTemplateSet.TryLoadGguf(file.Metadata, out var set, out var problem) ? set : throw new CommandFailure($"{path}: {problem}"));
    }
}
