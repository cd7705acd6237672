using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Tests.Ilgpu;

namespace AiFabrik.Compute.Tests.Native;

/// <summary>
/// A small transformer with random weights (F32, or matrices of another type) whose shape and features come from a seed: head sizes, groups of heads, biases,
/// head norms, windows, soft caps, sinks, partial rotation, rope variants, dense or mixture-of-experts layers, post norms.
/// </summary>
internal sealed class RandomProgram
{
    private readonly Random _random;
    private readonly List<WeightTensor> _weights = [];
    private readonly List<Op> _ops = [];
    private readonly List<BufferDef> _buffers = [];
    private readonly List<KvLayerDef> _kvLayers = [];
    private readonly int _hidden, _heads, _kvHeads, _headDim, _ffn, _experts, _topK;
    private readonly Activation _activation;
    private readonly WeightType _type;
    private readonly List<byte[]> _blocks = [];

    /// <param name="type">Of all matrices; quantised ones make every width a multiple of their blocks.</param>
    public RandomProgram(int seed, WeightType type = WeightType.F32)
    {
        _type = type;
        var isBlocks = WeightTypes.BlockSize(type) > 1;
        _random = new Random(seed);
        int Pick(params int[] values) => values[_random.Next(values.Length)];
        bool Chance() => _random.Next(2) == 0;
        (_hidden, _headDim, _kvHeads) = isBlocks ? (Pick(64, 96), Pick(32, 64), Pick(1, 2, 3)) : (Pick(48, 64, 100), Pick(8, 24, 32, 64), Pick(1, 2, 3));
        (_heads, _ffn) = (_kvHeads * Pick(1, 2, 3, 7), isBlocks ? Pick(96, 128) : Pick(40, 96, 128));
        if (WeightTypes.BlockSize(type) > 32) (_hidden, _ffn, _headDim, _heads, _kvHeads) = (256, 256, 32, 8, 2);
        (_experts, _topK) = Chance() ? (Pick(3, 6), 2) : (0, 0);
        _activation = (Activation)Pick(1, 2, 3);
        var vocab = Pick(50, 131);
        var window = Chance() ? Pick(5, 20, 33) : 0;
        int residual = Buffer(_hidden), normed = Buffer(_hidden), qkv = Buffer((_heads + 2 * _kvHeads) * _headDim), attention = Buffer(_heads * _headDim), branch = Buffer(_hidden);
        Emit(Op.Of(OpKind.Embed) with { Output = residual, W0 = Matrix(vocab, _hidden, scale: 1), Scale = 1.5f });
        var style = (RopeStyle)Pick(0, 1);
        var rotary = Chance() ? _headDim : _headDim / 2;
        bool biases = Chance(), headNorms = Chance(), sinks = Chance(), caps = Chance(), postNorms = Chance();
        for (var layer = 0; layer < 2; layer++)
        {
            var layerWindow = layer == 1 ? window : 0;
            _kvLayers.Add(new KvLayerDef(_kvHeads, _headDim, layerWindow > 0 ? 1 : 0));
            Emit(Norm(residual, normed));
            Emit(Op.Of(OpKind.MatMul) with
            {
                Input = normed, Output = qkv, W0 = Matrix(_heads * _headDim, _hidden), W1 = Matrix(_kvHeads * _headDim, _hidden), W2 = Matrix(_kvHeads * _headDim, _hidden),
                B0 = biases ? Vector(_heads * _headDim, 0) : -1, B2 = biases ? Vector(_kvHeads * _headDim, 0) : -1,
            });
            var shape = Op.Of(OpKind.RopeStoreKv) with { Input = qkv, Output = qkv, Layer = layer, NHeads = _heads, NKvHeads = _kvHeads, HeadDim = _headDim };
            Emit(shape with
            {
                RotaryDim = rotary, RopeStyle = style, RopeTable = 0, Eps = 1e-6f, Norm0 = headNorms ? Vector(_headDim, 1) : -1, Norm1 = headNorms ? Vector(_headDim, 1) : -1,
            });
            Emit(shape with
            {
                Kind = OpKind.Attention, Output = attention, Window = layerWindow, Scale = 1 / MathF.Sqrt(_headDim), Softcap = caps ? 4 : 0, W0 = sinks ? Vector(_heads, 0) : -1,
            });
            Emit(Op.Of(OpKind.MatMul) with { Input = attention, Output = postNorms ? branch : residual, Accumulate = postNorms ? 0 : 1, W0 = Matrix(_hidden, _heads * _headDim) });
            if (postNorms) Emit(Norm(branch, residual) with { Accumulate = 1 });
            Emit(Norm(residual, normed));
            if (_experts > 0) Experts(normed, residual); else Dense(normed, residual, biases);
        }
        int selected = Buffer(_hidden, BufferRows.Logits), final = Buffer(_hidden, BufferRows.Logits), logits = Buffer(vocab, BufferRows.Logits);
        Emit(Op.Of(OpKind.SelectRows) with { Input = residual, Output = selected });
        Emit(Norm(selected, final));
        Emit(Op.Of(OpKind.MatMul) with { Input = final, Output = logits, W0 = Matrix(vocab, _hidden) });
        if (caps) Emit(Op.Of(OpKind.Softcap) with { Input = logits, Output = logits, Softcap = 10 });
        Program = new TransformerProgram
        {
            Ops = _ops, Buffers = _buffers, Weights = _weights, RopeTables = [Rope(rotary)], KvLayers = _kvLayers,
            KvGroups = window > 0 ? [new KvGroupDef(0), new KvGroupDef(window)] : [new KvGroupDef(0)],
            VocabSize = vocab, ContextLen = 512, TopK = _topK, LogitsBuffer = logits,
        };
    }

    public TransformerProgram Program { get; }

    private void Dense(int normed, int residual, bool biases)
    {
        int gateUp = Buffer(2 * _ffn), ffn = Buffer(_ffn);
        Emit(Op.Of(OpKind.MatMul) with { Input = normed, Output = gateUp, W0 = Matrix(_ffn, _hidden), W1 = Matrix(_ffn, _hidden), B0 = biases ? Vector(_ffn, 0) : -1, B1 = biases ? Vector(_ffn, 0) : -1 });
        Emit(Op.Of(OpKind.ActMul) with { Input = gateUp, Output = ffn, Activation = _activation });
        Emit(Op.Of(OpKind.MatMul) with { Input = ffn, Output = residual, Accumulate = 1, W0 = Matrix(_hidden, _ffn), B0 = biases ? Vector(_hidden, 0) : -1 });
    }

    private void Experts(int normed, int residual)
    {
        int router = Buffer(_experts), route = Buffer(2 * _topK), rows = Buffer(_ffn, BufferRows.TokenExperts);
        Emit(Op.Of(OpKind.MatMul) with { Input = normed, Output = router, W0 = Matrix(_experts, _hidden, scale: 4) });
        Emit(Op.Of(OpKind.MoeRoute) with { Input = router, Output = route, TopK = _topK, Renormalize = _random.Next(2) });
        Emit(Op.Of(OpKind.MoeGateUp) with
        {
            Input = normed, Input2 = route, Output = rows, TopK = _topK, Activation = _activation,
            W0 = Matrix(_ffn, _hidden, _experts), W1 = Matrix(_ffn, _hidden, _experts), B0 = Vector(_ffn, 0, _experts), B1 = Vector(_ffn, 0, _experts),
        });
        Emit(Op.Of(OpKind.MoeDown) with { Input = rows, Input2 = route, Output = residual, TopK = _topK, Accumulate = 1, W0 = Matrix(_hidden, _ffn, _experts), B0 = Vector(_hidden, 0, _experts) });
    }

    private Op Norm(int from, int to) => Op.Of(OpKind.RmsNorm) with { Input = from, Output = to, Norm0 = Vector(_hidden, 1), Eps = 1e-5f };

    private static RopeTable Rope(int rotary)
    {
        float[] Frequencies(double theta) => [.. Enumerable.Range(0, rotary / 2).Select(i => (float)Math.Pow(theta, -2.0 * i / rotary))];
        return new RopeTable([Frequencies(10000), Frequencies(500)], [1f, 1.1f]) { OriginalContextLen = 64 };
    }

    private void Emit(Op op) => _ops.Add(op);

    private int Buffer(int cols, BufferRows rows = BufferRows.Tokens)
    {
        _buffers.Add(new BufferDef($"buffer{_buffers.Count}", rows, cols));
        return _buffers.Count - 1;
    }

    private int Matrix(int rows, int cols, int experts = 1, float scale = 1.7f)
    {
        if (_type == WeightType.F32) return AddMatrix(rows, cols, experts, scale);
        _weights.Add(RandomBlocks.Tensor(_random, _type, rows, cols, _blocks, experts));
        return _weights.Count - 1;
    }

    private int AddMatrix(int rows, int cols, int experts, float scale) => Add(rows, cols, experts, cols == _hidden && scale == 1 ? 1 : scale / MathF.Sqrt(cols), 0);

    private int Vector(int length, float around, int experts = 1) => Add(1, length, experts, 0.2f, around);

    private unsafe int Add(int rows, int cols, int experts, float scale, float around)
    {
        var values = GC.AllocateUninitializedArray<float>(experts * rows * cols, pinned: true);
        for (var i = 0; i < values.Length; i++) values[i] = around + scale * (_random.NextSingle() * 2 - 1);
        KeptMemory.Keep(values);
        fixed (float* data = values)
            _weights.Add(new WeightTensor($"w{_weights.Count}", WeightType.F32, rows, cols, (nint)data, cols * 4L) { Experts = experts, ExpertStrideBytes = rows * cols * 4L });
        return _weights.Count - 1;
    }
}
