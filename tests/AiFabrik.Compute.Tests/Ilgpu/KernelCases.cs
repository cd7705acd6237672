using AiFabrik.Compute.Ilgpu.Kernels;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Compute.Tests.Ilgpu;

/// <summary>A row of the table: which kernel, what is special about it, the bound on rms(difference) / rms(reference), and how to make it.</summary>
internal sealed record KernelCase(string Kernel, string Name, double Bound, Func<CaseProgram> Make)
{
    /// <summary>Takes the PTX machine more than a second.</summary>
    public bool IsHeavy { get; init; }

    public override string ToString() => $"{Kernel}: {Name}";
}

/// <summary>Every kernel's parity cases, against the reference executor: odd row counts, every weight type, each feature alone and mixed.</summary>
internal static class KernelCases
{
    private static readonly WeightType[] Types = Enum.GetValues<WeightType>();

    /// <summary>Sums of float32 in another order.</summary>
    private const double Exact = 3e-6;

    /// <summary>Keys and values rounded to half.</summary>
    private const double HalfCache = 1.5e-3;

    /// <summary>Rows of <see cref="ArgmaxKernel"/>: it is no operation of a program, but the end of every step. Columns, and whether values repeat.</summary>
    public static IReadOnlyList<(string Kernel, int Vocab, bool Ties)> Argmax { get; } =
        [(nameof(ArgmaxKernel), 1, false), (nameof(ArgmaxKernel), 61, true), (nameof(ArgmaxKernel), 3001, true), (nameof(ArgmaxKernel), 5000, false)];

    /// <summary>Rows of <see cref="TopKKernel"/>, which follows a step too: columns, how many of the best, and what is special about the values.</summary>
    public static IReadOnlyList<(string Kernel, int Vocab, int Count, string Values)> TopK { get; } =
    [
        (nameof(TopKKernel), 1, 1, "random"), (nameof(TopKKernel), 61, 64, "random"), (nameof(TopKKernel), 3001, 20, "ties"), (nameof(TopKKernel), 5000, 64, "ties"),
        (nameof(TopKKernel), 2048, 64, "falling"), (nameof(TopKKernel), 2500, 30, "few are numbers"), (nameof(TopKKernel), 70, 5, "none is a number"),
    ];

    public static IReadOnlyList<KernelCase> All { get; } = [.. Embed(), .. Gemv(), .. Gemm(), .. RmsNorm(), .. Rows(), .. Rope(), .. Attention(), .. Experts()];

    private static IEnumerable<KernelCase> Embed() =>
        Types.Select(type => new KernelCase(nameof(EmbedKernel), type.ToString(), 1e-6, () =>
        {
            var made = new CaseProgram(1, tokens: 5);
            return made.Add(Op.Of(OpKind.Embed) with { Output = made.Buffer(Cols(type)), W0 = made.Matrix(type, made.Vocab, Cols(type)), Scale = 1.5f });
        }));

    private static IEnumerable<KernelCase> Gemv()
    {
        foreach (var type in Types)
            foreach (var tokens in (int[])[1, 3, 16])
                yield return new(nameof(GemvKernel), $"{type}, {tokens} columns, 37 rows", Exact, () => Product(type, tokens, 37));
        yield return new(nameof(GemvKernel), "1 row", Exact, () => Product(WeightType.Q4_0, 1, 1));
        yield return new(nameof(GemvKernel), "adds to its output, bias", Exact, () => Product(WeightType.Q8_0, 2, 50, accumulate: 1, bias: true));
        yield return new(nameof(GemvKernel), "three matrices of two types, one bias", Exact, () => SideBySide(3));
        yield return new(nameof(GemvKernel), "norm and gate taken in", Exact, () => Fused(1, Activation.Silu));
    }

    private static IEnumerable<KernelCase> Gemm()
    {
        foreach (var type in Types) yield return new(nameof(GemmKernel), $"{type}, 37 columns, 70 rows", Exact, () => Product(type, 37, 70));
        yield return new(nameof(GemmKernel), "17 columns, 5 rows", Exact, () => Product(WeightType.F32, 17, 5));
        yield return new(nameof(GemmKernel), "adds to its output, bias", Exact, () => Product(WeightType.Q5_K, 33, 64, accumulate: 1, bias: true));
        yield return new(nameof(GemmKernel), "three matrices of two types, one bias", Exact, () => SideBySide(32));
        yield return new(nameof(GemmKernel), "norm and gate taken in", Exact, () => Fused(40, Activation.GptOss));
    }

    private static CaseProgram Product(WeightType type, int tokens, int rows, int accumulate = 0, bool bias = false)
    {
        var made = new CaseProgram(2, tokens);
        int x = made.Buffer(Cols(type)), y = made.Buffer(rows);
        return made.Add(Op.Of(OpKind.MatMul) with { Input = x, Output = y, W0 = made.Matrix(type, rows, Cols(type)), B0 = bias ? made.Vector(rows) : -1, Accumulate = accumulate });
    }

    private static CaseProgram SideBySide(int tokens)
    {
        var made = new CaseProgram(3, tokens);
        int x = made.Buffer(256), y = made.Buffer(29 + 7 + 9);
        return made.Add(Op.Of(OpKind.MatMul) with
        {
            Input = x, Output = y, W0 = made.Matrix(WeightType.Q4_K, 29, 256), W1 = made.Matrix(WeightType.Q4_K, 7, 256), W2 = made.Matrix(WeightType.Q6_K, 9, 256), B1 = made.Vector(7),
        });
    }

    private static CaseProgram Fused(int tokens, Activation activation)
    {
        var made = new CaseProgram(4, tokens);
        int x = made.Buffer(100), y = made.Buffer(45);
        return made.Add(Op.Of(OpKind.MatMul) with
        {
            Input = x, Output = y, W0 = made.Matrix(WeightType.F32, 45, 100), W1 = made.Matrix(WeightType.F32, 45, 100), B0 = made.Vector(45), B1 = made.Vector(45),
            Norm0 = made.Vector(100), Eps = 1e-5f, Activation = activation,
        });
    }

    private static IEnumerable<KernelCase> RmsNorm()
    {
        foreach (var (cols, accumulate, inPlace) in ((int, int, bool)[])[(100, 0, false), (7, 1, false), (640, 0, true)])
        {
            yield return new(nameof(RmsNormKernel), $"{cols} columns{(accumulate != 0 ? ", added" : "")}{(inPlace ? ", in place" : "")}", Exact, () =>
            {
                var made = new CaseProgram(5, 3);
                int x = made.Buffer(cols), y = inPlace ? x : made.Buffer(cols);
                return made.Add(Op.Of(OpKind.RmsNorm) with { Input = x, Output = y, Norm0 = made.Vector(cols), Eps = 1e-6f, Accumulate = accumulate });
            });
        }
    }

    private static IEnumerable<KernelCase> Rows()
    {
        foreach (var activation in (Activation[])[Activation.Silu, Activation.GeluTanh, Activation.GptOss])
        {
            yield return new(nameof(ActMulKernel), activation.ToString(), Exact, () =>
            {
                var made = new CaseProgram(6, 5);
                return made.Add(Op.Of(OpKind.ActMul) with { Input = made.Buffer(2 * 131), Output = made.Buffer(131), Activation = activation });
            });
        }
        yield return new(nameof(SelectRowsKernel), "every third row", 0, () =>
        {
            var made = new CaseProgram(7, 11);
            return made.Add(Op.Of(OpKind.SelectRows) with { Input = made.Buffer(77), Output = made.Buffer(77, BufferRows.Logits) });
        });
        yield return new(nameof(SoftcapKernel), "cap below and above the values", Exact, () =>
        {
            var made = new CaseProgram(8, 3);
            var x = made.Buffer(90);
            return made.Add(Op.Of(OpKind.Softcap) with { Input = x, Output = x, Softcap = 0.7f }).Add(Op.Of(OpKind.Softcap) with { Input = x, Output = x, Softcap = 30 });
        });
    }

    private static IEnumerable<KernelCase> Rope()
    {
        foreach (var (style, rotary, norms) in ((RopeStyle, int, bool)[])[(RopeStyle.HalfSplit, 32, false), (RopeStyle.Interleaved, 32, true), (RopeStyle.HalfSplit, 12, true)])
        {
            yield return new(nameof(RopeStoreKvKernel), $"{style}, {rotary} of 32 rotated{(norms ? ", norms" : "")}, two variants", Exact, () =>
            {
                var (made, rope, _) = Attending(6, 2, 32, rotary, style, norms);
                return made.Add(rope).Sequences((0, 9), (100, 3), (37, 1));
            });
        }
    }

    /// <summary>The keys and values that a step stores are what it attends to: the operations before belong to the case.</summary>
    private static IEnumerable<KernelCase> Attention()
    {
        (string Kernel, string Name, Func<CaseProgram> Make)[] list =
        [
            (nameof(AttentionKernel), "one token", () => Both(4, 2, 32).Sequences((0, 1))),
            (nameof(AttentionKernel), "few tokens, one key/value head, seven query heads", () => Both(7, 1, 64).Sequences((0, 3), (70, 2))),
            (nameof(AttentionKernel), "head of 20, window", () => Both(2, 2, 20, window: 5).Sequences((50, 2), (0, 3))),
            (nameof(AttentionKernel), "head of 256, soft cap", () => Both(3, 1, 256, softcap: 3).Sequences((20, 1))),
            (nameof(AttentionKernel), "everything", () => Both(10, 2, 64, window: 9, softcap: 5, sinks: true).Sequences((70, 1), (2, 3))),
            (nameof(AttentionPrefillKernel), "one key/value head, seven query heads", () => Both(7, 1, 64).Sequences((0, 40))),
            (nameof(AttentionPrefillKernel), "prefill and decode mixed", () => Both(6, 3, 24).Sequences((0, 17), (60, 1), (33, 5))),
            (nameof(AttentionPrefillKernel), "head of 20", () => Both(2, 2, 20).Sequences((0, 30))),
            (nameof(AttentionPrefillKernel), "head of 256", () => Both(3, 1, 256).Sequences((0, 20))),
            (nameof(AttentionPrefillKernel), "window shorter than a tile", () => Both(4, 4, 32, window: 5).Sequences((0, 21), (150, 19))),
            (nameof(AttentionPrefillKernel), "soft cap, sinks", () => Both(4, 2, 32, softcap: 3, sinks: true).Sequences((0, 21), (80, 4))),
            (nameof(AttentionPrefillKernel), "everything", () => Both(10, 2, 64, window: 9, softcap: 5, sinks: true).Sequences((0, 26), (70, 1), (2, 6))),
        ];
        foreach (var (kernel, name, make) in list) yield return new(kernel, name, HalfCache, make);
        yield return new(nameof(AttentionCombineKernel), "170 positions in two splits, sinks", HalfCache, () => Both(6, 2, 32, sinks: true, tokens: 4).Sequences((170, 2), (128, 1), (0, 1)));
        yield return new(nameof(AttentionCombineKernel), "splits that a window leaves empty", HalfCache, () => Both(4, 1, 40, window: 20, tokens: 4).Sequences((189, 3), (5, 1)));
    }

    private static CaseProgram Both(int heads, int kvHeads, int headDim, int window = 0, float softcap = 0, bool sinks = false, int tokens = 1)
    {
        var (made, rope, attention) = Attending(heads, kvHeads, headDim, headDim, RopeStyle.HalfSplit, norms: false, tokens);
        return made.Add(rope).Add(attention with { Window = window, Softcap = softcap, W0 = sinks ? made.Vector(heads) : -1 });
    }

    private static (CaseProgram Made, Op Rope, Op Attention) Attending(int heads, int kvHeads, int headDim, int rotary, RopeStyle style, bool norms, int tokens = 1)
    {
        var made = new CaseProgram(9, tokens);
        float[] Frequencies(double theta) => [.. Enumerable.Range(0, rotary / 2).Select(i => (float)Math.Pow(theta, -2.0 * i / rotary))];
        made.RopeTables.Add(new RopeTable([Frequencies(10000), Frequencies(300)], [1f, 1.2f]) { OriginalContextLen = 64 });
        made.KvLayers.Add(new KvLayerDef(kvHeads, headDim, 0));
        int qkv = made.Buffer((heads + 2 * kvHeads) * headDim), output = made.Buffer(heads * headDim);
        var shape = Op.Of(OpKind.RopeStoreKv) with { Input = qkv, Output = qkv, Layer = 0, NHeads = heads, NKvHeads = kvHeads, HeadDim = headDim };
        var rope = shape with { RotaryDim = rotary, RopeStyle = style, RopeTable = 0, Eps = 1e-6f, Norm0 = norms ? made.Vector(headDim) : -1, Norm1 = norms ? made.Vector(headDim) : -1 };
        return (made, rope, shape with { Kind = OpKind.Attention, Output = output, Scale = 1.3f / MathF.Sqrt(headDim) });
    }

    private static IEnumerable<KernelCase> Experts()
    {
        foreach (var renormalize in (int[])[0, 1])
        {
            yield return new(nameof(MoeRouteKernel), renormalize != 0 ? "softmax over the chosen" : "softmax over all", Exact, () =>
            {
                var made = new CaseProgram(10, 19) { TopK = 3 };
                return made.Add(Op.Of(OpKind.MoeRoute) with { Input = made.Buffer(9), Output = made.Buffer(6), TopK = 3, Renormalize = renormalize });
            });
        }
        foreach (var type in Types)
        {
            yield return new(nameof(MoeGemvKernel), $"{type}, gate and up of 5 experts", Exact, () =>
            {
                var (made, x, route) = Routed(4);
                return made.Add(Op.Of(OpKind.MoeGateUp) with
                {
                    Input = x, Input2 = route, Output = made.Buffer(27, BufferRows.TokenExperts), TopK = 2, Activation = Activation.Silu,
                    W0 = made.Matrix(type, 27, 256, 5), W1 = made.Matrix(type, 27, 256, 5), B0 = made.Vector(27, 5), B1 = made.Vector(27, 5),
                });
            });
        }
        foreach (var tokens in (int[])[1, 21])
        {
            yield return new(nameof(MoeCombineKernel), $"down of {tokens} tokens, added", Exact, () =>
            {
                var (made, _, route) = Routed(tokens);
                return made.Add(Op.Of(OpKind.MoeDown) with
                {
                    Input = made.Buffer(64, BufferRows.TokenExperts), Input2 = route, Output = made.Buffer(43), TopK = 2, Accumulate = 1,
                    W0 = made.Matrix(WeightType.Q4_0, 43, 64, 5), B0 = made.Vector(43, 5),
                });
            });
        }
    }

    private static (CaseProgram Made, int X, int Route) Routed(int tokens)
    {
        var made = new CaseProgram(11, tokens) { TopK = 2 };
        int x = made.Buffer(256), logits = made.Buffer(5), route = made.Buffer(4);
        made.Add(Op.Of(OpKind.MoeRoute) with { Input = logits, Output = route, TopK = 2 });
        return (made, x, route);
    }

    /// <summary>A width that the type allows; float types get one that is no multiple of a unit.</summary>
    private static int Cols(WeightType type) => WeightTypes.BlockSize(type) switch { 1 => 100, 32 => 96, _ => 512 };
}
