using AiFabrik.Engine.Models;
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
        return new TextFiles(ModelLoaderTokenizer.Open(found), () => ModelTemplates.Load(found));
    }
}
