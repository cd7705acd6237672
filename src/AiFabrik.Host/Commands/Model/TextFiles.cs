using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Commands.Model;

/// <summary>A model's text side alone: tokenizer, chat templates, BOS and EOS. Weights need not be there.</summary>
internal sealed class TextFiles
{
    private readonly Func<ChatTemplateSet?> _templates;

    private TextFiles(Tokenizer tokenizer, Func<ChatTemplateSet?> templates)
    {
        Tokenizer = tokenizer;
        _templates = templates;
    }

    public Tokenizer Tokenizer { get; }

    /// <summary>Compiled when asked for: a template that cannot be used is no reason not to tokenize.</summary>
    public ChatTemplateSet? Templates => _templates();

    public ReadOnlyMemory<byte> BosText => Tokenizer.BosText.ToArray();
    public ReadOnlyMemory<byte> EosText => Tokenizer.EosText.ToArray();

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
        return Tokenizer.TryLoadJson(File.ReadAllBytes(Path.Combine(folder, "tokenizer.json")), config, out var tokenizer, out var error)
            ? new TextFiles(tokenizer, () => ModelTemplates.FromDirectory(folder))
            : throw new CommandFailure($"{folder}: {error}");
    }

    private static TextFiles OpenGguf(string path)
    {
        if (!GgufFile.TryOpen(path, out var file, out var problem)) throw new CommandFailure(problem);
        return Tokenizer.TryLoadGguf(file.Metadata, out var tokenizer, out var error)
            ? new TextFiles(tokenizer, () => ModelTemplates.FromGguf(path, file.Metadata))
            : throw new CommandFailure($"{path}: {error}");
    }
}
