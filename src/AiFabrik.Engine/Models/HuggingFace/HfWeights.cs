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
        AddHead($"{prefix}embed_tokens.weight");
        for (var layer = 0; layer < _config.NLayers; layer++)
        {
            AddLayer($"{prefix}layers.{layer}.", $"blk.{layer}.");
            _progress?.Report(new ModelLoadProgress(ModelLoadStage.Reading, layer + 1, _config.NLayers));
        }
    }

    /// <summary>A head that stands there beside a tied embedding counts if it differs from it, as transformers 5 has it.</summary>
    private void AddHead(string embedding)
    {
        var head = Array.Find(HfNames.Heads, h => _model.TryGet(h, out _));
        if (head is null && !_config.TiedEmbeddings) throw Wrong("there is no tensor lm_head.weight, although the head is not tied to the embedding");
        if (head is not null && !(_config.TiedEmbeddings && SameMatrix(Matrix(head, ""), Matrix(embedding, "")))) AddMatrix(head, "output.weight");
    }

    private static bool SameMatrix(WeightTensor a, WeightTensor b)
    {
        if (a.Type != b.Type || a.Rows != b.Rows || a.Cols != b.Cols) return false;
        for (var row = 0; row < a.Rows; row++)
            if (!a.RowSpan(0, row).SequenceEqual(b.RowSpan(0, row))) return false;
        return true;
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
                AddExperts($"{theirs}mlp.experts", $"{theirs}block_sparse_moe.experts", ours, HfNames.MixtralExperts);
                break;
            case Architecture.Qwen3Moe when _model.TryGet($"{theirs}mlp.gate.weight", out _):
                AddExperts($"{theirs}mlp.experts", $"{theirs}mlp.experts", ours, HfNames.QwenExperts);
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

    private void AddExperts(string stacked, string single, string ours, (string Theirs, string Ours)[] names)
    {
        if (_model.TryGet($"{stacked}.gate_up_proj", out _))
        {
            AddStacked(stacked, ours);
            return;
        }
        foreach (var (t, o) in names)
        {
            var name = $"{ours}{o}.weight";
            var experts = new WeightTensor[_config.NExperts];
            for (var e = 0; e < experts.Length; e++) experts[e] = Matrix($"{single}.{e}.{t}.weight", $"{single}.{e}.{t}.weight");
            if (ExpertStack.Odd(experts) is { } odd) throw Wrong($"tensor {ModelText.Quote(odd.Name)} differs in shape or type from expert 0's");
            ExpertStack.Add(_set, name, experts);
        }
    }

    /// <summary>Experts as transformers 5 holds them: gate_up_proj [experts, 2·ffn, hidden], gate before up, and down_proj [experts, hidden, ffn]. Views, no copies.</summary>
    private void AddStacked(string theirs, string ours)
    {
        int ffn = _config.ExpertFfnDim, hidden = _config.HiddenDim;
        var gateUp = Stacked($"{theirs}.gate_up_proj", 2 * ffn, hidden);
        _set.Add(gateUp.SliceRows($"{ours}ffn_gate_exps.weight", 0, ffn));
        _set.Add(gateUp.SliceRows($"{ours}ffn_up_exps.weight", ffn, ffn));
        _set.Add(Stacked($"{theirs}.down_proj", hidden, ffn) with { Name = $"{ours}ffn_down_exps.weight" });
    }

    private WeightTensor Stacked(string name, int rows, int cols)
    {
        var t = Require(name);
        if (!t.TryWeightType(out var type)) throw Wrong($"tensor {ModelText.Quote(name)} has the dtype {t.DType}, which is not supported (F32, F16 and BF16 are)");
        ReadOnlySpan<int> shape = [_config.NExperts, rows, cols];
        if (!shape.SequenceEqual(t.Shape)) throw Wrong($"tensor {ModelText.Quote(name)} has the shape [{string.Join(", ", t.Shape)}] where [{string.Join(", ", shape.ToArray())}] is needed");
        var rowBytes = WeightTypes.RowBytes(type, cols);
        return new WeightTensor(name, type, rows, cols, t.Address, rowBytes) { Experts = _config.NExperts, ExpertStrideBytes = rows * rowBytes };
    }
}
