namespace AiFabrik.Tidy.Tests;

/// <summary>The project's own source files, without what builds leave behind.</summary>
internal static class Sources
{
    private static readonly string[] Endings = [".cs", ".cpp", ".h", ".hpp"];
    private static readonly string[] Skipped = ["bin", "obj", "node_modules", ".cache", "golden", "build", "build-asan"];

    public static string Root { get; } = FindRoot();

    public static IEnumerable<string> Files(params string[] folders) => folders.SelectMany(f => Below(Path.Combine(Root, f)));

    public static string Relative(string path) => Path.GetRelativePath(Root, path).Replace('\\', '/');

    private static IEnumerable<string> Below(string folder)
    {
        if (!Directory.Exists(folder)) yield break;
        foreach (var file in Directory.GetFiles(folder))
            if (Endings.Contains(Path.GetExtension(file))) yield return file;
        foreach (var child in Directory.GetDirectories(folder))
        {
            if (Skipped.Contains(Path.GetFileName(child))) continue;
            foreach (var file in Below(child)) yield return file;
        }
    }

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
            if (File.Exists(Path.Combine(folder.FullName, "AiFabrik.sln"))) return folder.FullName;
        throw new InvalidOperationException("The tests do not run inside a checkout.");
    }
}
