using System.Security.Cryptography;

namespace AiFabrik.Engine.Models;

/// <summary>Compares a model's files with the list that <c>sha256sum</c> wrote beside them.</summary>
internal static class ModelLoaderChecksums
{
    public const string ListName = "SHA256SUMS";

    /// <summary>Bytes of the list.</summary>
    private const int ListBytesMax = 1 << 20;

    private const int ReadBytes = 1 << 20;

    /// <summary>Starts comparing; the task's error is a <see cref="ModelFormatException"/>. Files that the list does not name pass, and so does a model without a list.</summary>
    public static Task Start(IReadOnlyList<string> paths, ChecksumPolicy policy, IProgress<ModelLoadProgress>? progress)
    {
        if (policy == ChecksumPolicy.Never) return Task.CompletedTask;
        var wanted = new List<(string Path, byte[] Hash, long Bytes)>();
        foreach (var path in paths)
        {
            var list = Path.Combine(Path.GetDirectoryName(Path.GetFullPath(path))!, ListName);
            if (File.Exists(list) && Find(list, Path.GetFileName(path)) is { } hash) wanted.Add((path, hash, new FileInfo(path).Length));
        }
        var total = wanted.Sum(w => w.Bytes);
        if (policy == ChecksumPolicy.Small && total > ModelLoadOptions.ChecksumBytesMax) return Task.CompletedTask;
        var done = 0L;
        return Task.WhenAll(wanted.Select(w => Task.Run(() =>
        {
            if (!Hash(w.Path).AsSpan().SequenceEqual(w.Hash)) throw new ModelFormatException($"{w.Path} is not the file that {ListName} beside it lists: it is damaged or was replaced.");
            progress?.Report(new ModelLoadProgress(ModelLoadStage.Verifying, Interlocked.Add(ref done, w.Bytes), total));
        })));
    }

    /// <summary>SHA-256 of a file.</summary>
    public static byte[] Hash(string path)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read, ReadBytes, FileOptions.SequentialScan);
        return SHA256.HashData(file);
    }

    /// <summary>The hash of a name; lines are "HASH  NAME", or "HASH *NAME".</summary>
    private static byte[]? Find(string list, string name)
    {
        if (new FileInfo(list).Length > ListBytesMax) throw new ModelFormatException($"{list} is larger than {ListBytesMax} bytes.");
        const int HashDigits = 64;
        foreach (var line in File.ReadLines(list))
        {
            if (line.Length <= HashDigits + 2 || line[HashDigits] != ' ' || !line.AsSpan(HashDigits + 2).TrimEnd().SequenceEqual(name)) continue;
            try
            {
                return Convert.FromHexString(line.AsSpan(0, HashDigits));
            }
            catch (FormatException)
            {
                throw new ModelFormatException($"{list} has no SHA-256 before {ModelText.Quote(name)}.");
            }
        }
        return null;
    }
}
