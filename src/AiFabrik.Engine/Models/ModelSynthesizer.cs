using System.Text;
using AiFabrik.Compute.Programs;
using AiFabrik.Engine.Models.Gguf;

namespace AiFabrik.Engine.Models;

/// <summary>
/// Writes a llama model with random weights as GGUF: for measuring speed at a shape and weight type, here and in llama.cpp. Its tokenizer is
/// byte-level with a handful of merges, its chat template ChatML; what it says is noise.
/// </summary>
public static class ModelSynthesizer
{
    /// <summary>Bytes that are made up and written at a time.</summary>
    private const int ChunkBytes = 8 << 20;

    private const ulong Seed = 135;

    private const string ChatTemplate =
        "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

    /// <summary>Writes <paramref name="shape"/> with all matrices in <paramref name="type"/> to <paramref name="path"/>, which is replaced if it exists. The same arguments give the same file.</summary>
    /// <exception cref="ModelFormatException">The type's blocks don't fit the shape's rows.</exception>
    public static void Write(ModelShape shape, WeightType type, string path, IProgress<ModelLoadProgress>? progress = null)
    {
        foreach (var cols in (ReadOnlySpan<int>)[shape.Hidden, shape.Ffn, shape.Heads * shape.HeadDim])
            if (cols % WeightTypes.BlockSize(type) != 0)
                throw new ModelFormatException($"{shape.Name} has rows of {cols} weights, which is no multiple of {type}'s block of {WeightTypes.BlockSize(type)}.");
        var writer = new GgufWriter();
        AddKeys(writer, shape, type);
        var tensors = Tensors(shape, type).ToArray();
        foreach (var t in tensors) writer.AddTensor(t.Name, t.Type, t.Cols, t.Rows);
        AtomicFile.Write(path, output =>
        {
            writer.WriteHeader(output);
            WriteTensors(writer, output, tensors, progress);
            writer.Complete();
        });
    }

    private static void WriteTensors(GgufWriter writer, Stream output, (string Name, WeightType Type, int Rows, int Cols)[] tensors, IProgress<ModelLoadProgress>? progress)
    {
        var chunk = new byte[ChunkBytes];
        var written = 0L;
        for (var i = 0; i < tensors.Length; i++)
        {
            var t = tensors[i];
            var state = Seed + (ulong)i;
            var rowBytes = (int)WeightTypes.RowBytes(t.Type, t.Cols);
            if (t.Rows == 1) { writer.Write(output, Ones(t.Cols)); continue; }
            var rowsAtOnce = Math.Max(1, ChunkBytes / rowBytes);
            for (var row = 0; row < t.Rows; row += rowsAtOnce)
            {
                var piece = chunk.AsSpan(0, Math.Min(rowsAtOnce, t.Rows - row) * rowBytes);
                ModelSynthesizerBlocks.Fill(t.Type, piece, ref state);
                writer.Write(output, piece);
                written += piece.Length;
                progress?.Report(new ModelLoadProgress(ModelLoadStage.Synthesizing, written, writer.DataBytes));
            }
        }
    }

    private static byte[] Ones(int count)
    {
        var bytes = new byte[count * sizeof(float)];
        System.Runtime.InteropServices.MemoryMarshal.Cast<byte, float>(bytes.AsSpan()).Fill(1f);
        return bytes;
    }

    private static IEnumerable<(string Name, WeightType Type, int Rows, int Cols)> Tensors(ModelShape s, WeightType type)
    {
        int q = s.Heads * s.HeadDim, kv = s.KvHeads * s.HeadDim;
        yield return ("token_embd.weight", type, s.Vocab, s.Hidden);
        for (var i = 0; i < s.Layers; i++)
        {
            yield return ($"blk.{i}.attn_norm.weight", WeightType.F32, 1, s.Hidden);
            yield return ($"blk.{i}.attn_q.weight", type, q, s.Hidden);
            yield return ($"blk.{i}.attn_k.weight", type, kv, s.Hidden);
            yield return ($"blk.{i}.attn_v.weight", type, kv, s.Hidden);
            yield return ($"blk.{i}.attn_output.weight", type, s.Hidden, q);
            yield return ($"blk.{i}.ffn_norm.weight", WeightType.F32, 1, s.Hidden);
            yield return ($"blk.{i}.ffn_gate.weight", type, s.Ffn, s.Hidden);
            yield return ($"blk.{i}.ffn_up.weight", type, s.Ffn, s.Hidden);
            yield return ($"blk.{i}.ffn_down.weight", type, s.Hidden, s.Ffn);
        }
        yield return ("output_norm.weight", WeightType.F32, 1, s.Hidden);
        if (!s.TiedEmbeddings) yield return ("output.weight", type, s.Vocab, s.Hidden);
    }

    private static void AddKeys(GgufWriter w, ModelShape s, WeightType type)
    {
        w.Add("general.architecture", "llama");
        w.Add("general.type", "model");
        w.Add("general.name", $"synthetic {s.Name} {type}");
        w.Add("general.quantization_version", 2u);
        w.Add("llama.block_count", (uint)s.Layers);
        w.Add("llama.context_length", (uint)s.ContextLen);
        w.Add("llama.embedding_length", (uint)s.Hidden);
        w.Add("llama.feed_forward_length", (uint)s.Ffn);
        w.Add("llama.attention.head_count", (uint)s.Heads);
        w.Add("llama.attention.head_count_kv", (uint)s.KvHeads);
        w.Add("llama.attention.key_length", (uint)s.HeadDim);
        w.Add("llama.attention.value_length", (uint)s.HeadDim);
        w.Add("llama.attention.layer_norm_rms_epsilon", 1e-5f);
        w.Add("llama.rope.dimension_count", (uint)s.HeadDim);
        w.Add("llama.rope.freq_base", s.RopeTheta);
        w.Add("llama.vocab_size", (uint)s.Vocab);
        ModelSynthesizerVocabulary.AddKeys(w, s.Vocab);
        w.Add("tokenizer.chat_template", Encoding.UTF8.GetBytes(ChatTemplate));
    }
}
