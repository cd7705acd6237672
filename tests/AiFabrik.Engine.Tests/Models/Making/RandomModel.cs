using System.Runtime.InteropServices;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models;
using AiFabrik.Engine.Models.Gguf;
using AiFabrik.Engine.Models.Quantization;
using AiFabrik.Engine.Tests.Models.Fuzzing;
using Architecture = AiFabrik.Engine.Models.Architecture;

namespace AiFabrik.Engine.Tests.Models.Making;

/// <summary>A model of random weights in a plain type, to be written as a Hugging Face directory and as GGUF: the same values in both.</summary>
internal sealed class RandomModel
{
    /// <summary>A tensor as both formats name it. Values in Hugging Face's order; experts stacked [experts, rows, cols].</summary>
    private sealed record Item(string Hf, string Gguf, int Experts, int Rows, int Cols, float[] Values, bool Permuted, float Add)
    {
        public bool IsVector => Rows == 0;
    }

    private readonly List<Item> _items = [];
    private readonly WeightType _type;
    private FuzzRandom _random;

    public RandomModel(ulong seed)
    {
        _random = new FuzzRandom(seed);
        Shape = RandomShape.Of(ref _random);
        _type = _random.Of<WeightType>([WeightType.F32, WeightType.F16, WeightType.BF16]);
        Matrix("model.embed_tokens.weight", "token_embd.weight", Shape.Vocab, Shape.Hidden, 1);
        Vector("model.norm.weight", "output_norm.weight", Shape.Hidden, norm: true);
        if (!Shape.Tied) Matrix("lm_head.weight", "output.weight", Shape.Vocab, Shape.Hidden, 1);
        for (var layer = 0; layer < Shape.Layers; layer++) Layer($"model.layers.{layer}.", $"blk.{layer}.");
    }

    public RandomShape Shape { get; }

    public int[] Tokens()
    {
        var tokens = new int[Math.Min(Shape.Context, 1 + _random.Below(48))];
        for (var i = 0; i < tokens.Length; i++) tokens[i] = _random.Below(Shape.Vocab);
        return tokens;
    }

    private void Layer(string hf, string gguf)
    {
        int q = Shape.Heads * Shape.HeadDim, kv = Shape.KvHeads * Shape.HeadDim, h = Shape.Hidden, f = Shape.Ffn;
        Vector($"{hf}input_layernorm.weight", $"{gguf}attn_norm.weight", h, norm: true);
        if (Shape.Architecture == Architecture.Phi3)
        {
            Matrix($"{hf}self_attn.qkv_proj.weight", $"{gguf}attn_qkv.weight", q + 2 * kv, h);
        }
        else
        {
            var biased = Shape.Bias || Shape.Architecture is Architecture.Qwen2 or Architecture.GptOss;
            foreach (var (name, rows) in (ReadOnlySpan<(string, int)>)[("q", q), ("k", kv), ("v", kv)])
            {
                var permuted = Shape.IsInterleaved && name != "v";
                Matrix($"{hf}self_attn.{name}_proj.weight", $"{gguf}attn_{name}.weight", rows, h, permuted: permuted);
                if (biased) Vector($"{hf}self_attn.{name}_proj.bias", $"{gguf}attn_{name}.bias", rows, permuted: permuted);
            }
        }
        Matrix($"{hf}self_attn.o_proj.weight", $"{gguf}attn_output.weight", h, q);
        if (Shape.Bias || Shape.Architecture == Architecture.GptOss) Vector($"{hf}self_attn.o_proj.bias", $"{gguf}attn_output.bias", h);
        if (Shape.HasHeadNorms)
        {
            Vector($"{hf}self_attn.q_norm.weight", $"{gguf}attn_q_norm.weight", Shape.HeadDim, norm: true);
            Vector($"{hf}self_attn.k_norm.weight", $"{gguf}attn_k_norm.weight", Shape.HeadDim, norm: true);
        }
        if (Shape.Architecture == Architecture.GptOss) Vector($"{hf}self_attn.sinks", $"{gguf}attn_sinks.weight", Shape.Heads);
        Vector($"{hf}post_attention_layernorm.weight", gguf + (Shape.IsGemma || Shape.Architecture == Architecture.GptOss ? "post_attention_norm.weight" : "ffn_norm.weight"), h, norm: true);
        if (Shape.IsGemma)
        {
            Vector($"{hf}pre_feedforward_layernorm.weight", $"{gguf}ffn_norm.weight", h, norm: true);
            Vector($"{hf}post_feedforward_layernorm.weight", $"{gguf}post_ffw_norm.weight", h, norm: true);
        }
        if (Shape.Experts > 0) Experts(hf, gguf);
        else if (Shape.Architecture == Architecture.Phi3) Matrix($"{hf}mlp.gate_up_proj.weight", $"{gguf}ffn_up.weight", 2 * f, h);
        else foreach (var name in (ReadOnlySpan<string>)["gate", "up"]) Matrix($"{hf}mlp.{name}_proj.weight", $"{gguf}ffn_{name}.weight", f, h);
        if (Shape.Experts == 0) Matrix($"{hf}mlp.down_proj.weight", $"{gguf}ffn_down.weight", h, f);
    }

    private void Experts(string hf, string gguf)
    {
        int h = Shape.Hidden, f = Shape.Ffn, n = Shape.Experts;
        var oss = Shape.Architecture == Architecture.GptOss;
        var router = oss ? "mlp.router" : Shape.Architecture == Architecture.Mixtral && !Shape.StackedExperts ? "block_sparse_moe.gate" : "mlp.gate";
        Matrix($"{hf}{router}.weight", $"{gguf}ffn_gate_inp.weight", n, h, 2);
        if (oss) Vector($"{hf}{router}.bias", $"{gguf}ffn_gate_inp.bias", n);
        foreach (var (name, rows, cols) in (ReadOnlySpan<(string, int, int)>)[("gate", f, h), ("up", f, h), ("down", h, f)])
        {
            Add($"{hf}mlp.experts.{name}", $"{gguf}ffn_{name}_exps.weight", n, rows, cols, 1, 0);
            if (oss) Add($"{hf}mlp.experts.{name}_bias", $"{gguf}ffn_{name}_exps.bias", n, 0, rows, 0.1f, 0);
        }
    }

    private void Matrix(string hf, string gguf, int rows, int cols, float gain = 1.2f, bool permuted = false) => Add(hf, gguf, 0, rows, cols, gain / MathF.Sqrt(cols), 0, permuted);

    private void Vector(string hf, string gguf, int length, bool norm = false, bool permuted = false) =>
        Add(hf, gguf, 0, 0, length, norm ? 0.2f : 0.3f, norm && Shape.IsGemma ? 1 : 0, permuted, norm && !Shape.IsGemma ? 1 : 0);

    private void Add(string hf, string gguf, int experts, int rows, int cols, float deviation, float add, bool permuted = false, float mean = 0)
    {
        if (experts > 0 && rows > 0) deviation /= MathF.Sqrt(cols);
        var values = new float[Math.Max(1, experts) * Math.Max(1, rows) * cols];
        for (var i = 0; i < values.Length; i++) values[i] = mean + deviation * Normal();
        // Rounded to the type once, so that both files hold the same.
        var bytes = Bytes(values);
        FloatVectors.ToFloat(_type, bytes, values);
        _items.Add(new Item(hf, gguf, experts, rows, cols, values, permuted, add));
    }

    /// <summary>Box and Muller.</summary>
    private float Normal()
    {
        double Uniform(ref FuzzRandom r) => (r.Next() >> 11) * (1.0 / (1UL << 53));
        return (float)(Math.Sqrt(-2 * Math.Log(1 - Uniform(ref _random))) * Math.Cos(2 * Math.PI * Uniform(ref _random)));
    }

    private byte[] Bytes(float[] values)
    {
        var bytes = new byte[values.Length * WeightTypes.BlockBytes(_type)];
        Quantizer.Row(_type, values, bytes);
        return bytes;
    }

    public void WriteDirectory(string folder)
    {
        File.WriteAllText(Path.Combine(folder, "config.json"), RandomConfig.Json(Shape));
        var tensors = new List<RawTensor>();
        foreach (var item in _items)
        {
            if (item.Experts == 0) tensors.Add(Raw(item.Hf, item.IsVector ? [item.Cols] : [item.Rows, item.Cols], item.Values));
            else if (Shape.Architecture == Architecture.GptOss) RandomExperts.Oss(item.Hf, item.Experts, item.Rows, item.Cols, item.Values, _items.Find(i => i.Hf == item.Hf.Replace(".gate", ".up", StringComparison.Ordinal))?.Values, (n, s, v) => tensors.Add(Raw(n, s, v)));
            else RandomExperts.Add(Shape, item.Hf, item.Experts, item.Rows, item.Cols, item.Values, _items.Find(i => i.Hf == item.Hf.Replace(".gate", ".up", StringComparison.Ordinal))?.Values, (n, s, v) => tensors.Add(Raw(n, s, v)));
        }
        SafetensorsBytes.Write(Path.Combine(folder, "model.safetensors"), tensors);
    }

    private RawTensor Raw(string name, int[] shape, float[] values) => new(name, _type.ToString(), shape, Bytes(values));

    /// <summary>Writes GGUF; if <paramref name="mixed"/>, every matrix gets a random type that its rows allow, and other weights.</summary>
    public void WriteGguf(string path, bool mixed)
    {
        var writer = new GgufWriter();
        RandomConfig.Gguf(Shape, writer);
        var data = new List<byte[]>();
        foreach (var item in _items)
        {
            var values = item.Permuted ? Permute(item) : item.Values;
            if (item.IsVector)
            {
                writer.AddTensor(item.Gguf, WeightType.F32, item.Cols, Math.Max(1, item.Experts));
                data.Add(MemoryMarshal.AsBytes(Array.ConvertAll(values, v => v + item.Add).AsSpan()).ToArray());
                continue;
            }
            var type = mixed ? RandomExperts.MixedType(item.Cols, item.Gguf.Contains("ffn_gate_inp", StringComparison.Ordinal), ref _random) : _type;
            writer.AddTensor(item.Gguf, type, item.Cols, item.Rows, Math.Max(1, item.Experts));
            data.Add(type == _type ? Bytes(values) : RandomExperts.Blocks(type, item.Cols, values, ref _random));
        }
        foreach (var (name, factors) in RandomConfig.RopeFactors(Shape))
        {
            writer.AddTensor(name, WeightType.F32, factors.Length);
            data.Add(MemoryMarshal.AsBytes(factors.AsSpan()).ToArray());
        }
        using var file = File.Create(path);
        writer.WriteHeader(file);
        foreach (var bytes in data) writer.Write(file, bytes);
        writer.Complete();
    }

    /// <summary>Half-split to interleaved: values i and i + half of a head become 2i and 2i + 1.</summary>
    private float[] Permute(Item item)
    {
        int width = item.IsVector ? 1 : item.Cols, half = Shape.HeadDim / 2;
        var permuted = new float[item.Values.Length];
        for (var row = 0; row < item.Values.Length / width; row++)
        {
            int head = row / Shape.HeadDim, i = row % Shape.HeadDim;
            var to = head * Shape.HeadDim + (i < half ? 2 * i : 2 * (i - half) + 1);
            item.Values.AsSpan(row * width, width).CopyTo(permuted.AsSpan(to * width));
        }
        return permuted;
    }
}
