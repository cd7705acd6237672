using System.Globalization;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models.Architectures;

/// <summary>
/// Assembles a <see cref="TransformerProgram"/>: declares buffers, takes tensors after checking their shapes, appends operations.
/// Shapes in comments: T tokens of the step, R rows whose logits are wanted.
/// </summary>
internal sealed class ProgramBuilder
{
    private readonly ModelWeights _source;
    private readonly List<Op> _ops = [];
    private readonly List<BufferDef> _buffers = [];
    private readonly List<WeightTensor> _weights = [];
    private readonly Dictionary<string, int> _weightIndices = [];
    private readonly List<RopeTable> _ropeTables = [];
    private readonly List<KvLayerDef> _kvLayers = [];
    private readonly List<KvGroupDef> _kvGroups = [];
    private readonly int _logits;
    private int _topK;

    public ProgramBuilder(ModelConfig config, ModelWeights source)
    {
        ConfigCheck.Run(config);
        Config = config;
        _source = source;
        Residual = Buffer("residual", config.HiddenDim);
        Normed = Buffer("normed", config.HiddenDim);
        Qkv = Buffer("qkv", (config.NHeads + 2 * config.NKvHeads) * config.HeadDim);
        AttentionOut = Buffer("attention", config.NHeads * config.HeadDim);
        _logits = Buffer("logits", config.VocabSize, BufferRows.Logits);
    }

    public ModelConfig Config { get; }

    /// <summary>[T, hidden] the stream that every layer adds to.</summary>
    public int Residual { get; }

    /// <summary>[T, hidden] normalised input of a block.</summary>
    public int Normed { get; }

    /// <summary>[T, (heads + 2·kv_heads)·head_dim] q | k | v.</summary>
    public int Qkv { get; }

    /// <summary>[T, heads·head_dim] what attention gives.</summary>
    public int AttentionOut { get; }

    /// <summary>Canonical name of a layer's tensor.</summary>
    public static string Name(int layer, string tensor) => string.Create(CultureInfo.InvariantCulture, $"blk.{layer}.{tensor}");

    /// <summary>The buffer of a name; the same one whenever it is asked for.</summary>
    public int Buffer(string name, int cols, BufferRows rows = BufferRows.Tokens)
    {
        var index = _buffers.FindIndex(buffer => buffer.Name == name);
        if (index < 0)
        {
            _buffers.Add(new BufferDef(name, rows, cols));
            return _buffers.Count - 1;
        }
        if (_buffers[index] != new BufferDef(name, rows, cols)) throw new InvalidOperationException($"Buffer '{name}' has two shapes.");
        return index;
    }

    public void Emit(Op op) => _ops.Add(op);

    public bool Has(string tensor) => _source.TryGet(tensor, out _);

    /// <summary>A matrix [experts][rows, cols] of the model.</summary>
    public int Matrix(string name, int rows, int cols, int experts = 1) => Add(CheckedMatrix(name, rows, cols, experts));

    /// <summary>Rows [first, first + count) of a matrix [rows, cols] of the model.</summary>
    public int MatrixRows(string name, int rows, int cols, int first, int count) =>
        Add(CheckedMatrix(name, rows, cols, 1).SliceRows(PartName(name, first, count), first, count));

    private WeightTensor CheckedMatrix(string name, int rows, int cols, int experts)
    {
        var tensor = Required(name);
        if (tensor.Rows != rows || tensor.Cols != cols || tensor.Experts != experts)
            throw WrongShape(name, Shape(rows, cols, experts), tensor);
        if (cols % WeightTypes.BlockSize(tensor.Type) != 0)
            throw new ModelFormatException($"Tensor '{name}' has rows of {cols} weights, which is no multiple of the block size {WeightTypes.BlockSize(tensor.Type)} of its type {tensor.Type}.");
        return tensor;
    }

    /// <summary>An F32 vector of the model.</summary>
    public int Vector(string name, int length) => Add(CheckedVector(name, length));

    /// <summary>An F32 vector, or −1 where the model has none.</summary>
    public int OptionalVector(string name, int length) => Has(name) ? Vector(name, length) : -1;

    /// <summary>A bias: one that must be there, one that is not used, or one that the model may have, −1 where it has none.</summary>
    public int Bias(string name, int length, bool? expected) => expected switch { true => Vector(name, length), false => -1, null => OptionalVector(name, length) };

    /// <summary>Part of an F32 vector, or −1 where the model has none.</summary>
    public int OptionalVectorPart(string name, int length, int first, int count)
    {
        if (!Has(name)) return -1;
        var tensor = CheckedVector(name, length);
        return Add(tensor with
        {
            Name = PartName(name, first, count), Cols = count, Data = tensor.Data + first * sizeof(float), RowStrideBytes = count * sizeof(float),
        });
    }

    /// <summary>F32 biases [experts, length] of stacked experts, −1 where there are none and none is expected. Given as experts of one row or as one matrix of rows.</summary>
    public int ExpertBias(string name, int experts, int length, bool expected)
    {
        if (!expected && !Has(name)) return -1;
        var tensor = Required(name);
        var rowsAreExperts = tensor.Experts == 1 && tensor.Rows == experts;
        if (tensor.Cols != length || !(rowsAreExperts || (tensor.Experts == experts && tensor.Rows == 1)))
            throw WrongShape(name, Shape(experts, length, 1), tensor);
        return Add(F32(rowsAreExperts ? tensor with { Rows = 1, Experts = experts, ExpertStrideBytes = tensor.RowStrideBytes } : tensor));
    }

    /// <summary>Index of a rotation table, each stored once.</summary>
    public int Rope(RopeTable table)
    {
        var index = _ropeTables.FindIndex(known => ReferenceEquals(known, table));
        if (index >= 0) return index;
        _ropeTables.Add(table);
        return _ropeTables.Count - 1;
    }

    /// <summary>Gives the next layer a KV cache; layers with the same window share a group.</summary>
    public int KvLayer(int window)
    {
        var group = _kvGroups.FindIndex(known => known.Window == window);
        if (group < 0)
        {
            group = _kvGroups.Count;
            _kvGroups.Add(new KvGroupDef(window));
        }
        _kvLayers.Add(new KvLayerDef(Config.NKvHeads, Config.HeadDim, group));
        return _kvLayers.Count - 1;
    }

    public void UseExperts(int topK) => _topK = topK;

    /// <summary>Residual = scale · embedding.</summary>
    public void Embed() => Emit(Op.Of(OpKind.Embed) with
    {
        Output = Residual, W0 = Matrix(TensorNames.Embedding, Config.VocabSize, Config.HiddenDim), Scale = Config.EmbeddingScale,
    });

    /// <summary>The last norm, on the wanted rows only, and the head: R rows of logits, soft-capped where the model says so.</summary>
    public TransformerProgram Finish()
    {
        var selected = Buffer("selected", Config.HiddenDim, BufferRows.Logits);
        var final = Buffer("final", Config.HiddenDim, BufferRows.Logits);
        Emit(Op.Of(OpKind.SelectRows) with { Input = Residual, Output = selected });
        Emit(Op.Of(OpKind.RmsNorm) with { Input = selected, Output = final, Norm0 = Vector(TensorNames.OutputNorm, Config.HiddenDim), Eps = Config.NormEps });
        var head = Config.TiedEmbeddings || !Has(TensorNames.Output) ? TensorNames.Embedding : TensorNames.Output;
        Emit(Op.Of(OpKind.MatMul) with
        {
            Input = final, Output = _logits, W0 = Matrix(head, Config.VocabSize, Config.HiddenDim), B0 = OptionalVector(TensorNames.OutputBias, Config.VocabSize),
        });
        if (Config.LogitSoftcap > 0) Emit(Op.Of(OpKind.Softcap) with { Input = _logits, Output = _logits, Softcap = Config.LogitSoftcap });
        return new TransformerProgram
        {
            Ops = _ops, Buffers = _buffers, Weights = _weights, RopeTables = _ropeTables, KvLayers = _kvLayers, KvGroups = _kvGroups,
            VocabSize = Config.VocabSize, ContextLen = Config.ContextLen, TopK = _topK, LogitsBuffer = _logits,
        };
    }

    private WeightTensor Required(string name) =>
        _source.TryGet(name, out var tensor) ? tensor : throw new ModelFormatException($"The model has no tensor '{name}', which a {Config.Architecture} model needs.");

    private WeightTensor CheckedVector(string name, int length)
    {
        var tensor = Required(name);
        if (tensor.Rows != 1 || tensor.Cols != length || tensor.Experts != 1) throw WrongShape(name, Shape(1, length, 1), tensor);
        return F32(tensor);
    }

    private static WeightTensor F32(WeightTensor tensor)
    {
        if (tensor.Type != WeightType.F32) throw new ModelFormatException($"Tensor '{tensor.Name}' is of type {tensor.Type}, but norms, biases and sinks must be F32.");
        return tensor;
    }

    private static string PartName(string name, int first, int count) => string.Create(CultureInfo.InvariantCulture, $"{name}[{first}..{first + count}]");

    private int Add(WeightTensor tensor)
    {
        if (_weightIndices.TryGetValue(tensor.Name, out var index)) return index;
        _weights.Add(tensor);
        _weightIndices.Add(tensor.Name, _weights.Count - 1);
        return _weights.Count - 1;
    }

    private static ModelFormatException WrongShape(string name, string expected, WeightTensor found) =>
        new($"Tensor '{name}' has the shape {Shape(found.Rows, found.Cols, found.Experts)}, but the model's configuration asks for {expected}.");

    private static string Shape(int rows, int cols, int experts) =>
        string.Create(CultureInfo.InvariantCulture, $"{(experts > 1 ? $"{experts} × " : "")}{(rows > 1 || experts > 1 ? $"{rows} × " : "")}{cols}");
}
