using System.Text.Json;
using AiFabrik.Compute.Ilgpu.Cuda;
using AiFabrik.Compute.Ilgpu.Cuda.Kernels;
using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Tests.Ilgpu.Cuda;

/// <summary>Times products and attention on a GPU as the executor launches them, beside the device's own copy bandwidth. One JSON object a row.</summary>
internal static class KernelBenchmark
{
    /// <summary>Weights are read in turn from so many bytes, so that no cache holds them from one launch to the next.</summary>
    private const long WeightBytes = 1L << 30;

    private const int TokensMax = 4096;

    private static readonly (int Rows, int Cols)[] s_shapes = [(6144, 4096), (4096, 4096), (14_336, 4096), (4096, 14_336), (128_256, 4096)];

    public static List<string> Run(GpuKernelDevice device)
    {
        var rows = new List<string>();
        ulong weights = device.Allocate(WeightBytes), scales = device.Allocate(WeightBytes / 8);
        int rowsMax = s_shapes.Max(s => s.Rows), colsMax = s_shapes.Max(s => s.Cols);
        double copy = device.Time(_ => CudaDriver.MemoryCopy(weights, weights + (WeightBytes / 2), (nuint)(WeightBytes / 2), device.Stream));
        double bandwidth = WeightBytes / copy;
        rows.Add(JsonSerializer.Serialize(new { kernel = "copy", device = device.Name, bytes_per_second = bandwidth }));
        ulong x = device.Allocate((long)TokensMax * colsMax * sizeof(float)), y = device.Allocate((long)TokensMax * 14_336 * sizeof(float));
        var products = new CudaMatMul(device.Kernels, device.Multiprocessors, device.Allocate(CudaMatMul.ScratchBytes(device.Multiprocessors, TokensMax, colsMax)), TokensMax, colsMax);
        foreach (WeightType type in (WeightType[])[WeightType.BF16, WeightType.Q8_0, WeightType.Q4_0])
        {
            foreach ((int r, int c) in s_shapes)
            {
                foreach (int tokens in (int[])[1, 8, 64, 512, TokensMax])
                {
                    // No step multiplies more than a few rows by the output matrix.
                    if (r < rowsMax || tokens <= 64)
                    {
                        rows.Add(Row(device, products, type, r, c, tokens, weights, scales, x, y, bandwidth));
                    }
                }
            }
        }
        rows.AddRange(Attention(device));
        rows.AddRange(DecodeAttention(device, bandwidth));
        return rows;
    }

    /// <summary>Prefill attention of one sequence with the 8b shape's heads, beside the rate that the tensor cores reach on their own.</summary>
    private static IEnumerable<string> Attention(GpuKernelDevice device)
    {
        const int Heads = 32, KvHeads = 8, HeadDim = 128, BlockSize = 32, Blocks = TokensMax / BlockSize, Rounds = 4096;
        int groups = device.Multiprocessors * MatrixRateKernel.GroupsPerMultiprocessor;
        ulong sums = device.Allocate((long)groups * MatrixRateKernel.Threads * sizeof(float));
        double rate = MatrixRateKernel.Operations(groups, Rounds) / device.Time(_ => device.Kernels.MatrixRate(device.Stream, sums, groups, Rounds));
        int qStride = (Heads + 2 * KvHeads) * HeadDim, tile = AttentionTensor.TileTokens(Heads, KvHeads);
        ulong qkv = device.Allocate((long)TokensMax * qStride * sizeof(float)), output = device.Allocate((long)TokensMax * Heads * HeadDim * sizeof(float));
        ulong cache = device.Allocate(2L * TokensMax * KvHeads * HeadDim * sizeof(ushort));
        DeviceInts Ints(IEnumerable<int> values) => values.ToArray() is var all ? new(device.Upload<int>("ints", all), all.Length) : default;
        DeviceInts positions = Ints(Enumerable.Range(0, TokensMax)), sequences = Ints(new int[TokensMax]), tables = Ints(Enumerable.Range(0, Blocks));
        foreach (int tokens in (int[])[512, TokensMax])
        {
            DeviceInts tiles = Ints(Enumerable.Range(0, tokens / tile).SelectMany(i => (int[])[i * tile, tile]));
            var shape = new AttentionShape
            {
                NHeads = Heads, NKvHeads = KvHeads, HeadDim = HeadDim, HeadStride = HeadDim, BlockSize = BlockSize, MaxBlocks = Blocks, QStride = qStride, OutStride = Heads * HeadDim, Scale = 0.088f,
            };
            double seconds = device.Time(_ => device.Kernels.AttentionTensor(device.Stream, output, qkv, cache, tiles, positions, sequences, tables, 0, shape, tokens / tile));
            // A token sees itself and all before it: on average half of the tokens.
            double operations = 4.0 * HeadDim * Heads * tokens * (tokens + 1) / 2 / seconds;
            yield return JsonSerializer.Serialize(new
            {
                kernel = "attention_prefill", heads = Heads, kv_heads = KvHeads, head_dim = HeadDim, tokens, microseconds = seconds * 1e6, operations_per_second = operations, matrix_rate_share = operations / rate,
            });
        }
    }

    /// <summary>Attention of one new token each of sequences with full contexts, with the 8b shape's heads, beside the copy bandwidth; the second pass of split contexts is not in it.</summary>
    private static IEnumerable<string> DecodeAttention(GpuKernelDevice device, double bandwidth)
    {
        const int Heads = 32, KvHeads = 8, HeadDim = 128, BlockSize = 32, Context = 4096, Blocks = Context / BlockSize, SequencesMax = 64;
        const long SequenceBytes = 2L * Context * KvHeads * HeadDim * sizeof(ushort);
        int qStride = (Heads + 2 * KvHeads) * HeadDim;
        ulong qkv = device.Allocate((long)SequencesMax * qStride * sizeof(float)), output = device.Allocate((long)SequencesMax * Heads * HeadDim * sizeof(float));
        ulong cache = device.Allocate(SequencesMax * SequenceBytes), partials = device.Allocate(AttentionKernel.PartialFloats(SequencesMax, Heads, HeadDim) * sizeof(float));
        DeviceInts Ints(IEnumerable<int> values) => values.ToArray() is var all ? new(device.Upload<int>("ints", all), all.Length) : default;
        DeviceInts list = Ints(Enumerable.Range(0, SequencesMax)), positions = Ints(Enumerable.Repeat(Context - 1, SequencesMax)), tables = Ints(Enumerable.Range(0, SequencesMax * Blocks));
        // One sequence would stay in the second-level cache: each launch takes another one's blocks.
        DeviceInts[] owners = [.. Enumerable.Range(0, SequencesMax).Select(s => Ints(Enumerable.Range(0, SequencesMax).Select(i => (i + s) % SequencesMax)))];
        foreach (int count in (int[])[1, 8, 16, SequencesMax])
        {
            var shape = new AttentionShape
            {
                Rows = count, NHeads = Heads, NKvHeads = KvHeads, HeadDim = HeadDim, HeadStride = HeadDim, BlockSize = BlockSize, MaxBlocks = Blocks, QStride = qStride,
                OutStride = Heads * HeadDim, Scale = 0.088f,
            };
            AttentionDecode.Split(ref shape, Context);
            double seconds = device.Time(i => device.Kernels.AttentionDecode(
                device.Stream, output, partials, qkv, cache, list, positions, owners[i * count % SequencesMax], tables, 0, shape));
            double rate = count * SequenceBytes / seconds;
            yield return JsonSerializer.Serialize(new
            {
                kernel = "attention_decode", heads = Heads, kv_heads = KvHeads, head_dim = HeadDim, context = Context, sequences = count, splits = shape.Splits, microseconds = seconds * 1e6,
                kv_bytes_per_second = rate, bandwidth_share = rate / bandwidth,
            });
        }
    }

    private static string Row(GpuKernelDevice device, CudaMatMul products, WeightType type, int rows, int cols, int tokens, ulong weights, ulong scales, ulong x, ulong y, double bandwidth)
    {
        long quantBytes = (long)rows * cols * (type == WeightType.BF16 ? 16 : type == WeightType.Q8_0 ? 8 : 4) / 8, scaleBytes = type == WeightType.BF16 ? 0 : (long)rows * cols / 16;
        long copies = Math.Max(1, Math.Min(WeightBytes / Math.Max(quantBytes, 1), scaleBytes == 0 ? long.MaxValue : WeightBytes / 8 / scaleBytes));
        double seconds = device.Time(i =>
        {
            ulong copy = (ulong)(i % copies);
            var matrix = new CudaMatrix(type, weights + copy * (ulong)quantBytes, scaleBytes == 0 ? 0 : scales + copy * (ulong)scaleBytes, 0, rows, cols);
            CudaStatus status = products.Begin(device.Stream, x, cols, tokens, cols);
            return status != CudaStatus.Success ? status : products.Run(device.Stream, matrix, y, rows, false);
        });
        double weightRate = (quantBytes + scaleBytes) / seconds;
        return JsonSerializer.Serialize(new
        {
            kernel = "product", type = type.ToString(), rows, cols, tokens, microseconds = seconds * 1e6, weight_bytes_per_second = weightRate, bandwidth_share = weightRate / bandwidth,
            operations_per_second = 2.0 * rows * cols * tokens / seconds,
        });
    }
}
