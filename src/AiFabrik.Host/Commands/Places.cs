namespace AiFabrik.Host.Commands;

/// <summary>Where things are unless somebody says otherwise.</summary>
internal static class Places
{
    /// <summary>The model to use: the argument, AIFABRIK__MODEL, or the default model beside the product. Null if there is none.</summary>
    public static string? Model(string? argument) =>
        argument ?? Environment.GetEnvironmentVariable("AIFABRIK__MODEL") ?? DefaultModel();

    /// <summary>The data directory: the argument, AIFABRIK__DATA, or the user's own.</summary>
    public static string Data(string? argument) =>
        argument ?? Environment.GetEnvironmentVariable("AIFABRIK__DATA")
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.DoNotVerify), "aifabrik");

    /// <summary>models/*.gguf in a folder above the executable (a clone: out/app) or the working directory.</summary>
    private static string? DefaultModel()
    {
        foreach (var start in (string[])[AppContext.BaseDirectory, Directory.GetCurrentDirectory()])
        {
            for (var folder = new DirectoryInfo(start); folder is not null; folder = folder.Parent)
            {
                var models = Path.Combine(folder.FullName, "models");
                if (!Directory.Exists(models)) continue;
                var files = Directory.GetFiles(models, "*.gguf");
                Array.Sort(files, StringComparer.Ordinal);
                if (files.Length > 0) return files[0];
            }
        }
        return null;
    }
}
