using AiFabrik.Engine.Models.HuggingFace;
using AiFabrik.Engine.Text;

namespace AiFabrik.Engine.Models;

/// <summary>The tokenizer that belongs to a model's files.</summary>
internal static class ModelLoaderTokenizer
{
    /// <summary>Bytes of tokenizer.json; the largest published ones have some 35 MB.</summary>
    public const int TokenizerBytesMax = 256 << 20;

    /// <summary>Bytes of tokenizer_config.json.</summary>
    public const int ConfigBytesMax = 16 << 20;

    /// <summary>Loads it; <see cref="ModelFormatException"/> with one sentence if there is none or it isn't supported.</summary>
    public static Tokenizer Load(ModelFiles files)
    {
        Tokenizer? tokenizer;
        if (files.Gguf is { } gguf)
        {
            if (!Tokenizer.TryLoadGguf(gguf.Metadata, out tokenizer, out var error)) throw new ModelFormatException($"{files.Path}: {error}");
        }
        else
        {
            tokenizer = LoadDirectory(files.Directory!);
        }
        if (tokenizer.VocabSize > files.Config.VocabSize) throw new ModelFormatException($"{files.Path}: the tokenizer has ids up to {tokenizer.VocabSize - 1}, but the model's vocabulary ends at {files.Config.VocabSize - 1}.");
        return tokenizer;
    }

    private static Tokenizer LoadDirectory(string directory)
    {
        using var json = Map(HfDirectory.TokenizerPath(directory), TokenizerBytesMax);
        var configPath = HfDirectory.TokenizerConfigPath(directory);
        using var config = File.Exists(configPath) ? Map(configPath, ConfigBytesMax) : null;
        var configBytes = config is null ? default : config.Bytes(0, (int)config.LengthBytes);
        return Tokenizer.TryLoadJson(json.Bytes(0, (int)json.LengthBytes), configBytes, out var tokenizer, out var error) ? tokenizer : throw new ModelFormatException($"{directory}: {error}");
    }

    private static FileBytes Map(string path, int bytesMax)
    {
        if (!FileBytes.TryMap(path, out var file, out var error)) throw new ModelFormatException(error);
        if (file.LengthBytes <= bytesMax) return file;
        file.Dispose();
        throw new ModelFormatException($"{path} is larger than {bytesMax} bytes.");
    }
}
