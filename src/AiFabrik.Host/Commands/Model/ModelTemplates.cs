using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Text;

namespace AiFabrik.Host.Commands.Model;

/// <summary>The chat templates that belong to a model's files.</summary>
internal static class ModelTemplates
{
    /// <summary>Null: the model has none. A template that cannot be used is a <see cref="ModelFormatException"/>.</summary>
    public static ChatTemplateSet? Load(ModelFiles files) => files.Gguf is { } gguf ? Gguf(files.Path, gguf.Metadata) : Directory(files.Directory!);

    public static ChatTemplateSet? Gguf(string path, GgufMetadata metadata) => throw new NotImplementedException();

    /// <summary>chat_template.jinja beside the tokenizer wins over the one in tokenizer_config.json, as in transformers.</summary>
    public static ChatTemplateSet? Directory(string folder) => throw new NotImplementedException();
}
