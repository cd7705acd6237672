using System.Diagnostics.CodeAnalysis;
using System.Text.Json;

namespace AiFabrik.Engine.Models.Safetensors;

/// <summary>The tensors of a directory: <c>model.safetensors</c>, or the shards that <c>model.safetensors.index.json</c> names.</summary>
internal sealed class SafetensorsModel : IDisposable
{
    public const string SingleName = "model.safetensors";
    public const string IndexName = "model.safetensors.index.json";

    private readonly List<FileBytes> _files = [];
    private readonly Dictionary<string, SafetensorsTensor> _tensors = [];

    public IReadOnlyCollection<SafetensorsTensor> Tensors => _tensors.Values;

    /// <summary>Paths of the files.</summary>
    public IEnumerable<string> Paths => _files.Select(f => f.Name);

    public bool TryGet(string name, [NotNullWhen(true)] out SafetensorsTensor? tensor) => _tensors.TryGetValue(name, out tensor);

    /// <summary>Opens the directory's weights; <see cref="ModelFormatException"/> with one sentence if they lie.</summary>
    public static SafetensorsModel Open(string directory)
    {
        var model = new SafetensorsModel();
        try
        {
            if (File.Exists(Path.Combine(directory, SingleName))) model.AddAll(Path.Combine(directory, SingleName));
            else if (File.Exists(Path.Combine(directory, IndexName))) model.AddShards(directory);
            else if (Directory.GetFiles(directory, "*.safetensors") is [var only]) model.AddAll(only);
            else throw new ModelFormatException($"{directory} holds neither {SingleName} nor {IndexName}.");
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    /// <summary>Opens one file's bytes, which the model owns from now on.</summary>
    internal static SafetensorsModel Open(FileBytes file)
    {
        var model = new SafetensorsModel();
        try
        {
            foreach (var tensor in model.Parse(file)) model._tensors.Add(tensor.Name, tensor);
            return model;
        }
        catch
        {
            model.Dispose();
            throw;
        }
    }

    private IReadOnlyList<SafetensorsTensor> Parse(FileBytes file)
    {
        _files.Add(file);
        return SafetensorsHeader.TryParse(file, out var tensors, out var error) ? tensors : throw new ModelFormatException(error!);
    }

    private IReadOnlyList<SafetensorsTensor> Parse(string path) => FileBytes.TryMap(path, out var file, out var error) ? Parse(file) : throw new ModelFormatException(error);

    private void AddAll(string path)
    {
        foreach (var tensor in Parse(path)) _tensors.Add(tensor.Name, tensor);
    }

    private void AddShards(string directory)
    {
        var indexPath = Path.Combine(directory, IndexName);
        using var index = ModelJson.Read(indexPath, SafetensorsLimits.IndexBytesMax);
        if (index.RootElement.ValueKind != JsonValueKind.Object || !index.RootElement.TryGetProperty("weight_map", out var map) || map.ValueKind != JsonValueKind.Object)
            throw new ModelFormatException($"{indexPath} has no weight_map.");
        var shards = new Dictionary<string, Dictionary<string, SafetensorsTensor>>();
        foreach (var entry in map.EnumerateObject())
        {
            var file = entry.Value.ValueKind == JsonValueKind.String ? entry.Value.GetString()! : "";
            if (!shards.TryGetValue(file, out var shard))
            {
                // A shard lies beside its index: a name that leads elsewhere is not one.
                if (file.Length == 0 || Path.GetFileName(file) != file || file.Contains('\\', StringComparison.Ordinal) || !file.EndsWith(".safetensors", StringComparison.Ordinal))
                    throw new ModelFormatException($"{indexPath} names {ModelText.Quote(file)}, which is not a .safetensors file beside it.");
                if (shards.Count == SafetensorsLimits.ShardsMax) throw new ModelFormatException($"{indexPath} names more than {SafetensorsLimits.ShardsMax} files.");
                shards.Add(file, shard = Parse(Path.Combine(directory, file)).ToDictionary(t => t.Name));
            }
            if (!shard.TryGetValue(entry.Name, out var tensor)) throw new ModelFormatException($"{Path.Combine(directory, file)} does not hold the tensor {ModelText.Quote(entry.Name)} that {IndexName} promises.");
            if (!_tensors.TryAdd(entry.Name, tensor)) throw new ModelFormatException($"{indexPath} names the tensor {ModelText.Quote(entry.Name)} twice.");
        }
    }

    public void Dispose()
    {
        foreach (var file in _files) file.Dispose();
        _files.Clear();
    }
}
