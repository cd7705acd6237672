using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models.Safetensors;

namespace AiFabrik.Engine.Models.HuggingFace;

/// <summary>
/// A checkpoint's tensors under canonical names. Matrices stay in the mapped files; vectors become float32; experts that do not lie at equal
/// distances are copied together, gpt-oss's are brought into GGUF's layout.
/// </summary>
internal sealed class HfWeights
{
    private readonly SafetensorsModel _model;
    private readonly ModelConfig _config;
    private readonly string _source;
    private readonly TensorSet _set;
    private readonly IProgress<ModelLoadProgress>? _progress;

    private HfWeights(SafetensorsModel model, ModelConfig config, string source, TensorSet set, IProgress<ModelLoadProgress>? progress) =>
        (_model, _config, _source, _set, _progress) = (model, config, source, set, progress);

    private bool IsGemma => _config.Architecture is Architecture.Gemma2 or Architecture.Gemma3;

    /// <summary>The weights, which own <paramref name="model"/> from now on; <see cref="ModelFormatException"/> if tensors are missing or of the wrong kind.</summary>
    public static ModelWeights Load(SafetensorsModel model, ModelConfig config, string source, IProgress<ModelLoadProgress>? progress = null)
    {
        var set = new TensorSet();
        set.Own(model);
        try
        {
            new HfWeights(model, config, source, set, progress).AddAll();
            return set;
        }
        catch
        {
            set.Dispose();
            throw;
        }
    }

    private ModelFormatException Wrong(string what) => new($"{_source}: {what}.");

    private void AddAll()
    {
        var prefix = Array.Find(HfNames.Prefixes, p => _model.TryGet($"{p}embed_tokens.weight", out _)) ?? throw Wrong("there is no tensor embed_tokens.weight");
        AddMatrix($"{prefix}embed_tokens.weight", "token_embd.weight");
        AddVector($"{prefix}norm.weight", "output_norm.weight", IsGemma ? 1 : 0);
        if (!_config.TiedEmbeddings)
        {
            var head = Array.Find(HfNames.Heads, h => _model.TryGet(h, out _)) ?? throw Wrong("there is no tensor lm_head.weight, although the head is not tied to the embedding");
            AddMatrix(head, "output.weight");
        }
        for (var layer = 0; layer < _config.NLayers; layer++)
        {
            AddLayer($"{prefix}layers.{layer}.", $"blk.{layer}.");
            _progress?.Report(new ModelLoadProgress(ModelLoadStage.Reading, layer + 1, _config.NLayers));
        }
    }

    private void AddLayer(string theirs, string ours)
    {
        foreach (var (t, o) in HfNames.Matrices)
        {
            // The router of a dense layer's neighbour has another name in each family; what is there is taken.
            if (_model.TryGet($"{theirs}{t}.weight", out _)) AddMatrix($"{theirs}{t}.weight", $"{ours}{o}.weight");
            if (_model.TryGet($"{theirs}{t}.bias", out _)) AddVector($"{theirs}{t}.bias", $"{ours}{o}.bias");
        }
        var vectors = IsGemma ? HfNames.GemmaNorms : _config.Architecture == Architecture.GptOss ? HfNames.GptOssVectors : HfNames.Norms;
        foreach (var (t, o) in vectors)
            if (_model.TryGet(theirs + t, out _)) AddVector(theirs + t, ours + o, IsGemma ? 1 : 0);

        switch (_config.Architecture)
        {
            case Architecture.Mixtral:
                AddExperts($"{theirs}block_sparse_moe.experts", ours, HfNames.MixtralExperts);
                break;
            case Architecture.Qwen3Moe when _model.TryGet($"{theirs}mlp.gate.weight", out _):
                AddExperts($"{theirs}mlp.experts", ours, HfNames.QwenExperts);
                break;
            case Architecture.GptOss:
                new HfGptOssExperts(_model, _config, _set, _source).Add($"{theirs}mlp.experts.", ours);
                break;
        }
    }

    private SafetensorsTensor Require(string name) => _model.TryGet(name, out var tensor) ? tensor : throw Wrong($"there is no tensor {ModelText.Quote(name)}");

    private WeightTensor Matrix(string theirs, string ours)
    {
        var t = Require(theirs);
        if (!t.TryWeightType(out var type)) throw Wrong($"tensor {ModelText.Quote(theirs)} has the dtype {t.DType}, which is not supported (F32, F16 and BF16 are)");
        if (t.Shape.Length != 2 || t.Count == 0) throw Wrong($"tensor {ModelText.Quote(theirs)} is not a matrix");
        return new WeightTensor(ours, type, t.Shape[0], t.Shape[1], t.Address, WeightTypes.RowBytes(type, t.Shape[1]));
    }

    private void AddMatrix(string theirs, string ours)
    {
        if (_set.TryGet(ours, out _)) throw Wrong($"tensor {ModelText.Quote(theirs)} stands there under another name too");
        _set.Add(Matrix(theirs, ours));
    }

    private void AddVector(string theirs, string ours, float add = 0)
    {
        var t = Require(theirs);
        if (!t.TryWeightType(out var type)) throw Wrong($"tensor {ModelText.Quote(theirs)} has the dtype {t.DType}, which is not supported (F32, F16 and BF16 are)");
        if (t.Shape.Length != 1 || t.Count is 0 or > ModelConfigLimits.VocabSizeMax) throw Wrong($"tensor {ModelText.Quote(theirs)} is not a vector");
        if (_set.TryGet(ours, out _)) throw Wrong($"tensor {ModelText.Quote(theirs)} stands there under another name too");
        _set.AddVector(ours, type, 1, (int)t.Count, t.File.Bytes(t.Offset, (int)t.Bytes), add);
    }

    private void AddExperts(string theirs, string ours, (string Theirs, string Ours)[] names)
    {
        foreach (var (t, o) in names)
        {
            var name = $"{ours}{o}.weight";
            var experts = new WeightTensor[_config.NExperts];
            for (var e = 0; e < experts.Length; e++)
            {
                experts[e] = Matrix($"{theirs}.{e}.{t}.weight", name);
                if (experts[e].Type != experts[0].Type || experts[e].Rows != experts[0].Rows || experts[e].Cols != experts[0].Cols)
                    throw Wrong($"tensor {ModelText.Quote($"{theirs}.{e}.{t}.weight")} differs in shape or type from expert 0's");
            }
            if (!AddStrided(experts, theirs, t)) AddCopied(experts, theirs, t, name);
        }
    }

    /// <summary>Experts at equal, positive distances of one file need no copy.</summary>
    private bool AddStrided(WeightTensor[] experts, string theirs, string name)
    {
        var stride = experts.Length > 1 ? (long)experts[1].Data - experts[0].Data : 0;
        if (stride < 0) return false;
        var file = Require($"{theirs}.0.{name}.weight").File;
        for (var e = 1; e < experts.Length; e++)
            if (experts[e].Data != experts[0].Data + (nint)(e * stride) || Require($"{theirs}.{e}.{name}.weight").File != file) return false;
        _set.Add(experts[0] with { Experts = experts.Length, ExpertStrideBytes = stride });
        return true;
    }

    private void AddCopied(WeightTensor[] experts, string theirs, string t, string name)
    {
        var bytes = experts[0].WeightBytes;
        if (bytes * experts.Length > Array.MaxLength - FileBytes.OwnAlignmentBytes) throw Wrong($"the experts of {ModelText.Quote(theirs)} do not fit into one stacked tensor");
        var memory = FileBytes.Allocate(name, (int)(bytes * experts.Length));
        Parallel.For(0, experts.Length, e =>
        {
            var source = Require($"{theirs}.{e}.{t}.weight");
            source.File.Bytes(source.Offset, (int)bytes).CopyTo(memory.Writable[(int)(e * bytes)..]);
        });
        _set.Add(name, experts[0].Type, experts[0].Rows, experts[0].Cols, memory, experts.Length);
    }
}
