using AiFabrik.Compute.Programs;
using AiFabrik.Compute.Reference.Dequantization;
using AiFabrik.Engine.Models.Gguf;

namespace AiFabrik.Engine.Models.Quantization;

/// <summary>
/// Writes a model's weights as a GGUF file of ours with the matrices quantised. Vectors, routers, and what is quantised already stay as they are.
/// With Q4_0 the embedding and the head become Q8_0: four bits cost the most quality there.
/// </summary>
internal static class WeightConverter
{
    /// <summary>Raised when the result changes, so that files made before are not used again.</summary>
    public const int Version = 2;

    /// <summary>general.architecture of our files; nothing but us reads them.</summary>
    public const string FileArchitecture = "aifabrik-weights";

    /// <summary>Bytes that are converted at a time.</summary>
    private const int ChunkBytes = 16 << 20;

    /// <summary>The type that a tensor gets.</summary>
    public static WeightType TargetType(WeightTensor tensor, WeightType wanted)
    {
        var isMatrix = tensor.Rows > 1 && !tensor.Name.EndsWith(".bias", StringComparison.Ordinal) && !tensor.Name.Contains("ffn_gate_inp", StringComparison.Ordinal);
        if (!isMatrix || !FloatVectors.IsPlain(tensor.Type)) return tensor.Type;
        if (wanted == WeightType.Q4_0 && tensor.Name is "token_embd.weight" or "output.weight") wanted = WeightType.Q8_0;
        return tensor.Cols % WeightTypes.BlockSize(wanted) == 0 ? wanted : tensor.Type;
    }

    /// <summary>Writes all of <paramref name="weights"/> to <paramref name="path"/>, whole or not at all.</summary>
    public static void Write(ModelWeights weights, WeightType wanted, string path, IProgress<ModelLoadProgress>? progress)
    {
        var writer = new GgufWriter();
        writer.Add("general.architecture", FileArchitecture);
        var tensors = weights.Names.Select(n => weights.TryGet(n, out var t) ? t : throw new InvalidOperationException(n)).ToArray();
        foreach (var t in tensors) writer.AddTensor(t.Name, TargetType(t, wanted), t.Cols, t.Rows, t.Experts);
        AtomicFile.Write(path, output =>
        {
            writer.WriteHeader(output);
            var chunk = new byte[ChunkBytes];
            long done = 0, total = tensors.Sum(t => t.WeightBytes);
            foreach (var t in tensors)
            {
                Write(writer, output, t, TargetType(t, wanted), ref chunk);
                progress?.Report(new ModelLoadProgress(ModelLoadStage.Quantizing, done += t.WeightBytes, total));
            }
            writer.Complete();
        });
    }

    private static void Write(GgufWriter writer, Stream output, WeightTensor tensor, WeightType type, ref byte[] chunk)
    {
        var rowBytes = (int)WeightTypes.RowBytes(type, tensor.Cols);
        if (rowBytes > chunk.Length) chunk = new byte[rowBytes];
        var buffer = chunk;
        var atOnce = buffer.Length / rowBytes;
        long rows = (long)tensor.Rows * tensor.Experts;
        for (long first = 0; first < rows; first += atOnce)
        {
            var from = first;
            var count = (int)Math.Min(atOnce, rows - first);
            Parallel.For(0, count, () => new float[tensor.Cols], (i, _, values) =>
            {
                var row = from + i;
                var target = buffer.AsSpan(i * rowBytes, rowBytes);
                int expert = (int)(row / tensor.Rows), inExpert = (int)(row % tensor.Rows);
                if (type == tensor.Type)
                {
                    tensor.RowSpan(expert, inExpert).CopyTo(target);
                    return values;
                }
                Dequantizer.Row(tensor, expert, inExpert, values);
                Quantizer.Row(type, values, target);
                return values;
            }, _ => { });
            writer.Write(output, buffer.AsSpan(0, count * rowBytes));
        }
    }
}
