using System.Runtime.InteropServices;

namespace AiFabrik.Compute.Programs;

/// <summary>What an operation does. T = tokens of the step, R = rows whose logits are wanted, E = experts, k = experts a token uses.</summary>
public enum OpKind
{
    /// <summary>out[t, :] = Scale · W0[token[t], :]. out [T, hidden].</summary>
    Embed = 0,

    /// <summary>out = x / sqrt(mean(x²) + Eps) · norm, row by row; with Accumulate out += it (Gemma's post norms). norm is a vector in <see cref="Op.Norm0"/>.</summary>
    RmsNorm = 1,

    /// <summary>
    /// out[:, rows of W0 | W1 | W2] = f(x)·Wᵢᵀ + Bᵢ, side by side. With Accumulate out += it (one matrix only).
    /// After fusion: f(x) = rms_norm(x)·Norm0 if Norm0 ≥ 0; and if Activation ≠ None, W0 is gate, W1 is up and out = act(gate) ⊙ up.
    /// </summary>
    MatMul = 2,

    /// <summary>
    /// Input is qkv [T, (NHeads + 2·NKvHeads)·HeadDim]: q heads, then k heads, then v heads. In place: q and k heads are
    /// RMS-normalised over HeadDim with Norm0 (q) and Norm1 (k) where given, then their first RotaryDim values are rotated
    /// (RopeTable, RopeStyle, position; the table's variant is chosen per sequence); k and v go to the KV cache of Layer at the token's slot.
    /// </summary>
    RopeStoreKv = 3,

    /// <summary>
    /// out[t, h, :] = Σ_j softmax_j(cap(Scale · q[t,h]·K[j,h'])) V[j,h'] over the sequence's own positions j ≤ pos(t),
    /// j > pos(t) − Window if Window > 0; h' = h / (NHeads/NKvHeads); cap(s) = Softcap·tanh(s/Softcap) if Softcap > 0;
    /// W0 ≥ 0: one sink logit per head that joins the softmax's sum only. Input is the qkv buffer, out [T, NHeads·HeadDim].
    /// </summary>
    Attention = 4,

    /// <summary>Input [T, 2F] = gate | up; out [T, F] = act(gate) ⊙ up.</summary>
    ActMul = 5,

    /// <summary>out[r, :] = in[LogitRows[r], :]. out has rows R.</summary>
    SelectRows = 6,

    /// <summary>In place: x = Softcap·tanh(x / Softcap).</summary>
    Softcap = 7,

    /// <summary>
    /// Input: router logits [T, E]. out [T, 2·TopK] floats: TopK expert numbers (as float), then their weights: softmax over
    /// all E logits; with Renormalize, softmax over the chosen ones only. Chosen: the largest logits, ties to the lower number; in descending order.
    /// </summary>
    MoeRoute = 8,

    /// <summary>Input x [T, hidden], Input2 = route; out [T·TopK, F]: row t·TopK + j = act(W0[e]·x[t] + B0[e]) ⊙ (W1[e]·x[t] + B1[e]) with e = expert j of t.</summary>
    MoeGateUp = 9,

    /// <summary>Input h [T·TopK, F], Input2 = route; out[t] (+)= Σ_j weight(t, j) · (W0[e]·h[t·TopK + j] + B0[e]).</summary>
    MoeDown = 10,
}

/// <summary>The gate's function in a gated feed-forward layer.</summary>
public enum Activation
{
    None = 0,

    /// <summary>g·sigmoid(g) ⊙ u (SwiGLU, Shazeer 2020).</summary>
    Silu = 1,

    /// <summary>gelu_tanh(g) ⊙ u.</summary>
    GeluTanh = 2,

    /// <summary>gpt-oss: g' = min(g, 7), u' = clamp(u, −7, 7); (u' + 1)·g'·sigmoid(1.702·g').</summary>
    GptOss = 3,
}

/// <summary>Which values of a head are rotated together.</summary>
public enum RopeStyle
{
    /// <summary>(x[i], x[i + RotaryDim/2]): Hugging Face checkpoints and most GGUF architectures.</summary>
    HalfSplit = 0,

    /// <summary>(x[2i], x[2i + 1]): GGUF's llama architecture, whose q and k rows are permuted.</summary>
    Interleaved = 1,
}

/// <summary>
/// One operation of a <see cref="TransformerProgram"/>. Blittable: the native executor reads the same bytes (<c>af_op</c> in aifabrik.h).
/// Buffers and weights are indices into the program's lists; −1 means none.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
public record struct Op
{
    public OpKind Kind;
    public int Input;
    public int Input2;
    public int Output;
    public int W0;
    public int W1;
    public int W2;
    public int B0;
    public int B1;
    public int B2;
    public int Norm0;
    public int Norm1;
    public int Layer;
    public int NHeads;
    public int NKvHeads;
    public int HeadDim;
    public int RotaryDim;
    public RopeStyle RopeStyle;
    public int RopeTable;
    public int Window;
    public int TopK;
    public int Renormalize;
    public int Accumulate;
    public Activation Activation;
    public float Eps;
    public float Scale;
    public float Softcap;

    /// <summary>An operation with every reference set to "none".</summary>
    public static Op Of(OpKind kind) => new()
    {
        Kind = kind, Input = -1, Input2 = -1, Output = -1, W0 = -1, W1 = -1, W2 = -1, B0 = -1, B1 = -1, B2 = -1,
        Norm0 = -1, Norm1 = -1, Layer = -1, RopeTable = -1, Scale = 1f,
    };
}
