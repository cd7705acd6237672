using System.Diagnostics.CodeAnalysis;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models;

/// <summary>Tensors by canonical name, with the files and memory that they point into.</summary>
internal sealed class TensorSet : ModelWeights
{
    private readonly Dictionary<string, WeightTensor> _tensors = [];
    private readonly List<IDisposable> _owned = [];

    /// <summary>From a canonical name to the files'.</summary>
    public Func<string, string>? FileNames { get; init; }

    public override string NameInFiles(string name) => FileNames?.Invoke(name) ?? name;

    public override IEnumerable<string> Names => _tensors.Keys;

    public override bool TryGet(string name, [NotNullWhen(true)] out WeightTensor? tensor) => _tensors.TryGetValue(name, out tensor);

    /// <summary>Adds a tensor that points into what this set owns.</summary>
    public void Add(WeightTensor tensor) => _tensors.Add(tensor.Name, tensor);

    /// <summary>Adds a contiguous tensor that fills <paramref name="memory"/>, which the set owns from now on.</summary>
    public void Add(string name, WeightType type, int rows, int cols, FileBytes memory, int experts = 1)
    {
        Own(memory);
        var rowBytes = WeightTypes.RowBytes(type, cols);
        Add(new WeightTensor(name, type, rows, cols, memory.Address, rowBytes) { Experts = experts, ExpertStrideBytes = rows * rowBytes });
    }

    /// <summary>Disposes <paramref name="memory"/> with this set.</summary>
    public void Own(IDisposable memory) => _owned.Add(memory);

    /// <summary>Adds a norm, bias or other vector as float32 [rows, cols] plus <paramref name="add"/>.</summary>
    public void AddVector(string name, WeightType type, int rows, int cols, ReadOnlySpan<byte> source, float add = 0)
    {
        var memory = FileBytes.Allocate(name, checked(rows * cols * sizeof(float)));
        FloatVectors.ToFloat(type, source, System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(memory.Writable), add);
        Add(name, WeightType.F32, rows, cols, memory);
    }

    protected override void Dispose(bool disposing)
    {
        if (!disposing) return;
        foreach (var memory in _owned) memory.Dispose();
        _owned.Clear();
        _tensors.Clear();
    }
}
