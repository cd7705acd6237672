using AiFabrik.Engine.Models;

namespace AiFabrik.Benchmarks.Operations;

/// <summary>The default model of the checkout that this runs in.</summary>
internal static class DefaultModel
{
    public static string Root { get; } = FindRoot();

    public static string Path { get; } = System.IO.Path.Combine(Root, "models", "SmolLM2-135M-Instruct-Q4_1-00001-of-00003.gguf");

    /// <summary>Loaded once; what it holds is read only.</summary>
    public static LoadedModel Instance => Lazy.Value;

    private static readonly Lazy<LoadedModel> Lazy = new(() => ModelLoader.Load(Path));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(System.IO.Path.Combine(folder.FullName, "AiFabrik.sln"))) return folder.FullName;
        throw new InvalidOperationException("This does not run inside a checkout.");
    }
}
