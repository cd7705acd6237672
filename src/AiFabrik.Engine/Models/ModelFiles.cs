using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Models.HuggingFace;
using AiFabrik.Engine.Models.Quantization;
using AiFabrik.Engine.Models.Safetensors;

namespace AiFabrik.Engine.Models;

/// <summary>
/// A model's files, opened and understood: a GGUF file (the first, if it is split), a directory with one, or a Hugging Face directory.
/// Disposing it unmaps the weights.
/// </summary>
public sealed class ModelFiles : IDisposable
{
    private ModelFiles(string path, ModelConfig config, ModelWeights weights, IReadOnlyList<string> paths)
    {
        Path = path;
        Config = config;
        Weights = weights;
        Paths = paths;
    }

    /// <summary>The GGUF file, or the directory.</summary>
    public string Path { get; }

    public ModelConfig Config { get; }
    public ModelWeights Weights { get; }

    /// <summary>The files that hold the weights.</summary>
    public IReadOnlyList<string> Paths { get; }

    /// <summary>The GGUF file, whose metadata holds the tokenizer and the chat template; null for a Hugging Face directory.</summary>
    public GgufFile? Gguf { get; private init; }

    /// <summary>The Hugging Face directory; null for a GGUF file.</summary>
    public string? Directory { get; private init; }

    /// <summary>Tokens that end an answer, as the files name them.</summary>
    public IReadOnlyList<int> EosIds { get; private init; } = [];

    public SamplingDefaults Sampling { get; private init; } = new();

    /// <summary>Opens a model; <see cref="ModelFormatException"/> with one sentence for the person who brought it.</summary>
    public static ModelFiles Open(string path, ModelLoadOptions? options = null, IProgress<ModelLoadProgress>? progress = null)
    {
        try
        {
            return OpenAny(path, options ?? new ModelLoadOptions(), progress);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException($"{path} cannot be read ({e.GetType().Name}).");
        }
    }

    private static ModelFiles OpenAny(string path, ModelLoadOptions options, IProgress<ModelLoadProgress>? progress)
    {
        if (System.IO.Directory.Exists(path)) return OpenDirectory(path, options, progress);
        if (!File.Exists(path)) throw new ModelFormatException($"There is no model at {path}.");
        if (HfDirectory.IsPickle(path)) throw HfDirectory.RefusePickle(path);
        if (path.EndsWith(".safetensors", StringComparison.OrdinalIgnoreCase)) throw new ModelFormatException($"{path} is only the weights: give the directory that also holds config.json and the tokenizer.");
        return OpenGguf(path, options, progress);
    }

    private static ModelFiles OpenDirectory(string path, ModelLoadOptions options, IProgress<ModelLoadProgress>? progress)
    {
        if (File.Exists(System.IO.Path.Combine(path, HfDirectory.ConfigName))) return OpenHuggingFace(path, options, progress);
        var gguf = System.IO.Directory.GetFiles(path, "*.gguf").Where(IsFirstPart).ToArray();
        if (gguf.Length == 1) return OpenGguf(gguf[0], options, progress);
        if (gguf.Length > 1) throw new ModelFormatException($"{path} holds {gguf.Length} GGUF models: give the file of one of them.");
        var pickle = Array.Find(System.IO.Directory.GetFiles(path), HfDirectory.IsPickle);
        if (pickle is not null) throw HfDirectory.RefusePickle(pickle);
        throw new ModelFormatException($"{path} holds no model: neither config.json nor a .gguf file is there.");
    }

    /// <summary>Of the parts of a split file only the first counts.</summary>
    private static bool IsFirstPart(string path)
    {
        var name = System.IO.Path.GetFileNameWithoutExtension(path);
        var of = name.LastIndexOf("-of-", StringComparison.Ordinal);
        return of < 6 || name.AsSpan(of - 6, 6) is "-00001" || !int.TryParse(name.AsSpan(of - 5, 5), out _);
    }

    private static ModelFiles OpenGguf(string path, ModelLoadOptions options, IProgress<ModelLoadProgress>? progress)
    {
        if (!GgufFile.TryOpen(path, out var file, out var error)) throw new ModelFormatException(error);
        try
        {
            var config = GgufConfig.Read(file);
            string[] paths = [.. file.PartPaths];
            var weights = Quantized(paths, options, () => GgufWeights.Load(Reopen(path)), progress) ?? GgufWeights.Load(file);
            return new ModelFiles(path, config, weights, paths) { Gguf = file, EosIds = GgufEos(file) };
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>The file once more, for whoever disposes it before the metadata has been read.</summary>
    private static GgufFile Reopen(string path) => GgufFile.TryOpen(path, out var file, out var error) ? file : throw new ModelFormatException(error);

    /// <summary>End of sequence, of turn and of message: each ends an answer.</summary>
    private static int[] GgufEos(GgufFile file)
    {
        var ids = new List<int>();
        foreach (var key in (ReadOnlySpan<string>)["tokenizer.ggml.eos_token_id", "tokenizer.ggml.eot_token_id", "tokenizer.ggml.eom_token_id"])
            if (file.Metadata.TryGetInt64(key, out var id) && id is >= 0 and <= int.MaxValue && !ids.Contains((int)id)) ids.Add((int)id);
        return [.. ids];
    }

    private static ModelFiles OpenHuggingFace(string path, ModelLoadOptions options, IProgress<ModelLoadProgress>? progress)
    {
        var config = HfConfig.Read(System.IO.Path.Combine(path, HfDirectory.ConfigName));
        var files = System.IO.Directory.GetFiles(path);
        var pickle = Array.Find(files, HfDirectory.IsPickle);
        if (pickle is not null && !Array.Exists(files, f => f.EndsWith(".safetensors", StringComparison.Ordinal))) throw HfDirectory.RefusePickle(pickle);
        var (eos, sampling) = HfGenerationConfig.Read(path);
        var model = SafetensorsModel.Open(path);
        var paths = model.Paths.ToArray();
        ModelWeights Load() => HfWeights.Load(model, config, path, progress);
        ModelWeights? weights = null;
        try
        {
            weights = Quantized([System.IO.Path.Combine(path, HfDirectory.ConfigName), .. paths], options, Load, progress);
        }
        finally
        {
            if (weights is not null || options.Quantize is not null) model.Dispose();
        }
        weights ??= Load();
        // A head of its own was kept only where it differs from the embedding.
        var tied = config.TiedEmbeddings && !weights.TryGet(Architectures.TensorNames.Output, out _);
        return new ModelFiles(path, config with { TiedEmbeddings = tied }, weights, paths) { Directory = path, EosIds = eos, Sampling = sampling };
    }

    /// <summary>Quantised weights, if they are asked for.</summary>
    private static ModelWeights? Quantized(IReadOnlyList<string> paths, ModelLoadOptions options, Func<ModelWeights> source, IProgress<ModelLoadProgress>? progress)
    {
        if (options.Quantize is not { } type) return null;
        if (options.DataDirectory is not { Length: > 0 } data) throw new ModelFormatException("Quantising at load needs a data directory to keep the result in.");
        return new QuantizedCache(data).Open(paths, type, source, progress);
    }

    public void Dispose()
    {
        Weights.Dispose();
        Gguf?.Dispose();
    }
}
