using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Models.HuggingFace;
using AiFabrik.Engine.Text;

namespace AiFabrik.Engine.Models;

/// <summary>The tokenizer that belongs to a model's files.</summary>
public static class ModelLoaderTokenizer
{
    /// <summary>Bytes of tokenizer.json; the largest published ones have some 35 MB.</summary>
    public const int TokenizerBytesMax = 256 << 20;

    /// <summary>Bytes of tokenizer_config.json.</summary>
    public const int ConfigBytesMax = 16 << 20;

    /// <summary>Loads a model's; <see cref="ModelFormatException"/> with one sentence if there is none, it isn't supported, or it has more tokens than the model.</summary>
    internal static Tokenizer Load(ModelFiles files)
    {
        var tokenizer = files.Gguf is { } gguf ? LoadGguf(files.Path, gguf.Metadata) : LoadDirectory(files.Directory!);
        if (tokenizer.VocabSize > files.Config.VocabSize) throw new ModelFormatException($"{files.Path}: the tokenizer has ids up to {tokenizer.VocabSize - 1}, but the model's vocabulary ends at {files.Config.VocabSize - 1}.");
        return tokenizer;
    }

    /// <summary>Loads the tokenizer of a GGUF file, of a directory with one, or of a directory with at least tokenizer.json: weights need not be there.</summary>
    /// <exception cref="ModelFormatException">There is none, or it isn't supported; one sentence.</exception>
    public static Tokenizer Open(string path)
    {
        if (IsDirectory(path, out var gguf)) return LoadDirectory(path);
        if (!GgufFile.TryOpen(gguf, out var file, out var error)) throw new ModelFormatException(error);
        using (file) return LoadGguf(gguf, file.Metadata);
    }

    /// <summary>True for a directory whose text side is in files of its own; else <paramref name="gguf"/> is the GGUF file that holds it.</summary>
    public static bool IsDirectory(string path, out string gguf)
    {
        gguf = path;
        if (!Directory.Exists(path)) return false;
        if (File.Exists(HfDirectory.TokenizerPath(path)) || Directory.GetFiles(path, "*.gguf").Order(StringComparer.Ordinal).FirstOrDefault() is not { } first) return true;
        gguf = first;
        return false;
    }

    private static Tokenizer LoadGguf(string path, GgufMetadata metadata) =>
        Tokenizer.TryLoadGguf(metadata, out var tokenizer, out var error) ? tokenizer : throw new ModelFormatException($"{path}: {error}");

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
