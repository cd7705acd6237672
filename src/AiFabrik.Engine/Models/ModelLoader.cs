using AiFabrik.Engine.Models.Architectures;

namespace AiFabrik.Engine.Models;

/// <summary>From a path to a model that is ready to be executed.</summary>
public static class ModelLoader
{
    /// <summary>
    /// Loads a GGUF file (the first, if it is split), a directory with one, or a Hugging Face directory. Small models are compared with the
    /// SHA256SUMS beside them meanwhile.
    /// </summary>
    /// <param name="progress">Told the share done, 0 to 1, of what takes time: verifying, restacking experts, quantising.</param>
    /// <exception cref="ModelFormatException">The model cannot be loaded; one sentence for the person who brought it.</exception>
    public static LoadedModel Load(string path, ModelLoadOptions? options = null, IProgress<double>? progress = null)
    {
        options ??= new ModelLoadOptions();
        var stages = progress is null ? null : new StageShare(progress);
        // The structure is read first: it costs a few milliseconds and finds the files that are to be compared.
        var files = ModelFiles.Open(path, options, stages);
        try
        {
            var checksums = ModelLoaderChecksums.Start(files.Paths, options.EffectiveChecksums, stages);
            var tokenizer = Task.Run(() => ModelLoaderTokenizer.Load(files));
            var program = ArchitectureRegistry.Build(files.Config, files.Weights);
            var loaded = new LoadedModel(IdOf(path), files, program, tokenizer.GetAwaiter().GetResult());
            checksums.GetAwaiter().GetResult();
            return loaded;
        }
        catch (Exception e)
        {
            files.Dispose();
            if (e is IOException or UnauthorizedAccessException) throw new ModelFormatException($"{path} cannot be read ({e.GetType().Name}).");
            throw;
        }
    }

    /// <summary>The file's or directory's name, without its ending and the number of a split's part.</summary>
    public static string IdOf(string path)
    {
        var name = Path.GetFileName(Path.TrimEndingDirectorySeparator(Path.GetFullPath(path)));
        if (name.EndsWith(".gguf", StringComparison.OrdinalIgnoreCase)) name = name[..^".gguf".Length];
        const string FirstPart = "-00001-of-";
        var part = name.LastIndexOf(FirstPart, StringComparison.Ordinal);
        return part > 0 && part + FirstPart.Length + 5 == name.Length ? name[..part] : name;
    }
}
