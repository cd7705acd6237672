namespace AiFabrik.Engine.Tests.Models;

/// <summary>Where the golden cases and the default model lie.</summary>
internal static class TestPaths
{
    /// <summary>The repository's root: the nearest folder above the test's binaries that holds the solution.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The golden cases: tests/golden, or another root of the same layout.</summary>
    public static string Golden { get; } = Environment.GetEnvironmentVariable("AIFABRIK_GOLDEN") is { Length: > 0 } other ? other : Path.Combine(Root, "tests", "golden");

    /// <summary>First file of the default model.</summary>
    public static string DefaultModel { get; } = Directory.GetFiles(Path.Combine(Root, "models"), "*-00001-of-*.gguf").Single();

    /// <summary>Names of the golden GGUF models (a split one by its first part).</summary>
    public static IEnumerable<string> GoldenGguf => Directory.GetFiles(Path.Combine(Golden, "gguf"), "*.gguf")
        .Select(p => Path.GetFileName(p)!).Where(n => !n.Contains("-of-", StringComparison.Ordinal) || n.Contains("-00001-of-", StringComparison.Ordinal)).Order(StringComparer.Ordinal);

    /// <summary>Names of the golden Hugging Face directories.</summary>
    public static IEnumerable<string> GoldenDirectories => Directory.GetDirectories(Path.Combine(Golden, "models")).Select(p => Path.GetFileName(p)!).Order(StringComparer.Ordinal);

    /// <summary>A model of the golden cases, be they the repository's or others.</summary>
    public static string GivenGguf(string name) => Path.Combine(Golden, "gguf", name);

    /// <inheritdoc cref="GivenGguf"/>
    public static string GivenHuggingFace(string name) => Path.Combine(Golden, "models", name);

    /// <summary>A model of the repository's own cases, for tests that know what is in it.</summary>
    public static string Gguf(string name) => Path.Combine(Root, "tests", "golden", "gguf", name);

    /// <inheritdoc cref="Gguf"/>
    public static string HuggingFace(string name) => Path.Combine(Root, "tests", "golden", "models", name);

    private static string FindRoot()
    {
        for (var at = new DirectoryInfo(AppContext.BaseDirectory); at is not null; at = at.Parent)
            if (File.Exists(Path.Combine(at.FullName, "AiFabrik.sln"))) return at.FullName;
        throw new InvalidOperationException("The tests do not run within the repository.");
    }
}
