namespace AiFabrik.EndToEnd.Tests;

/// <summary>Where things are in the checkout that the tests run from.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The golden cases, or another root of the same layout.</summary>
    public static string Golden { get; } = Environment.GetEnvironmentVariable("AIFABRIK_GOLDEN") ?? Path.Combine(Root, "tests", "golden");

    /// <summary>What build.sh makes. AIFABRIK_EXECUTABLE names another.</summary>
    public static string Executable { get; } = Environment.GetEnvironmentVariable("AIFABRIK_EXECUTABLE") ?? Path.Combine(Root, "out", "aifabrik");

    public static string Model { get; } = Path.Combine(Root, "models", "SmolLM2-135M-Instruct-Q4_1-00001-of-00003.gguf");

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "AiFabrik.sln"))) return folder.FullName;
        throw new InvalidOperationException("The tests do not run inside a checkout.");
    }
}
