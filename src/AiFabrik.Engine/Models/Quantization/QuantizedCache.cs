using System.Security.Cryptography;
using System.Text;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models.Gguf;

namespace AiFabrik.Engine.Models.Quantization;

/// <summary>
/// Quantised weights, made once per content and kept in <c>DATA/quantized/HASH-TYPE.gguf</c>. HASH is the SHA-256 of the model's files; as
/// large files take seconds to hash, the hash of each is remembered for its path, length and time of change. <c>….gguf.seal</c> tells a
/// result that was damaged later.
/// </summary>
internal sealed class QuantizedCache(string dataDirectory, ChecksumPolicy checksums)
{
    private readonly string _folder = Path.Combine(dataDirectory, "quantized");

    /// <summary>The quantised weights: from an earlier time, or made now from what <paramref name="source"/> loads (and that is disposed).</summary>
    /// <param name="paths">All files that the weights depend on.</param>
    public ModelWeights Open(IReadOnlyList<string> paths, WeightType type, Func<ModelWeights> source, IProgress<ModelLoadProgress>? progress)
    {
        if (type is not (WeightType.Q8_0 or WeightType.Q4_0)) throw new ModelFormatException($"A model cannot be quantised to {type} (q8_0 and q4_0 are possible).");
        try
        {
            Directory.CreateDirectory(_folder);
            var path = Path.Combine(_folder, $"{ContentHash(paths)}-{type}.gguf".ToLowerInvariant());
            if (TryOpen(path, out var weights)) return weights!;
            using (var plain = source()) WeightConverter.Write(plain, type, path, progress);
            var seal = new QuantizedSeal(new FileInfo(path));
            AtomicFile.Write($"{path}.seal", output => output.Write(seal.ToBytes(ModelLoaderChecksums.Hash(path))));
            return TryOpen(path, out weights) ? weights! : throw new ModelFormatException($"{path} was written, but cannot be read back.");
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new ModelFormatException($"Quantised weights cannot be kept in {_folder} ({e.GetType().Name}): check its free space and rights.");
        }
    }

    /// <summary>A file that does not open, is not ours, or is not what was written, is made again.</summary>
    private bool TryOpen(string path, out ModelWeights? weights)
    {
        weights = null;
        if (!File.Exists(path) || !File.Exists($"{path}.seal") || !new QuantizedSeal(new FileInfo(path)).Holds(path, File.ReadAllBytes($"{path}.seal"), checksums) || !GgufFile.TryOpen(path, out var file, out _)) return false;
        if (file.Metadata.TryGetString("general.architecture", out var name) && name.SequenceEqual(Encoding.UTF8.GetBytes(WeightConverter.FileArchitecture))) weights = GgufWeights.Load(file);
        else file.Dispose();
        return weights is not null;
    }

    private string ContentHash(IReadOnlyList<string> paths)
    {
        using var all = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        all.AppendData(Encoding.UTF8.GetBytes($"weights {WeightConverter.Version}"));
        var hashes = new byte[paths.Count][];
        Parallel.For(0, paths.Count, i => hashes[i] = FileHash(paths[i]));
        foreach (var hash in hashes) all.AppendData(hash);
        return Convert.ToHexString(all.GetHashAndReset());
    }

    private byte[] FileHash(string path)
    {
        var info = new FileInfo(path);
        var key = Convert.ToHexString(SHA256.HashData(Encoding.UTF8.GetBytes($"{info.FullName}\n{info.Length}\n{info.LastWriteTimeUtc.Ticks}")));
        var memo = Path.Combine(_folder, $"{key}.sha256".ToLowerInvariant());
        if (File.Exists(memo) && File.ReadAllBytes(memo) is { Length: SHA256.HashSizeInBytes } known) return known;
        var hash = ModelLoaderChecksums.Hash(path);
        AtomicFile.Write(memo, output => output.Write(hash));
        return hash;
    }
}
