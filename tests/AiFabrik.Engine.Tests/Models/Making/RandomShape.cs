using AiFabrik.Engine.Models;
using AiFabrik.Engine.Tests.Models.Fuzzing;

namespace AiFabrik.Engine.Tests.Models.Making;

/// <summary>What a random model looks like: every number that the formats let be odd is odd now and then.</summary>
internal sealed record RandomShape(Architecture Architecture)
{
    public required int Layers { get; init; }
    public required int Hidden { get; init; }
    public required int Heads { get; init; }
    public required int KvHeads { get; init; }
    public required int HeadDim { get; init; }
    public required int RotaryDim { get; init; }
    public required int Ffn { get; init; }
    public required int Vocab { get; init; }
    public required int Context { get; init; }
    public required int Window { get; init; }
    public required bool Tied { get; init; }
    public required bool Bias { get; init; }
    public required int Experts { get; init; }
    public required int ExpertsUsed { get; init; }
    public required bool StackedExperts { get; init; }
    public required bool Scaled { get; init; }
    public required bool NewForm { get; init; }

    public bool IsGemma => Architecture is Architecture.Gemma2 or Architecture.Gemma3;
    public bool HasHeadNorms => Architecture is Architecture.Qwen3 or Architecture.Qwen3Moe or Architecture.Gemma3;

    /// <summary>GGUF's "llama", where pairs that rotate together are neighbours.</summary>
    public bool IsInterleaved => Architecture is Architecture.Llama or Architecture.Mistral or Architecture.Mixtral;

    public static RandomShape Of(ref FuzzRandom random)
    {
        var a = (Architecture)random.Below(Enum.GetValues<Architecture>().Length);
        var kv = random.Of<int>([1, 1, 2, 3]);
        var headDim = random.Of<int>([2, 8, 10, 16, 24, 32, 40, 64, 72, 80, 96, 128, 256]);
        var experts = a is Architecture.Mixtral or Architecture.Qwen3Moe or Architecture.GptOss ? random.Of<int>([1, 2, 3, 5, 8, 17]) : 0;
        return new RandomShape(a)
        {
            Layers = a == Architecture.Gemma3 && random.Below(3) == 0 ? 7 : 1 + random.Below(3),
            Hidden = random.Of<int>([20, 32, 33, 64, 72, 96, 160, 224, 256, 288, 512]),
            Heads = kv * random.Of<int>([1, 2, 3, 5, 7]),
            KvHeads = kv,
            HeadDim = headDim,
            RotaryDim = a == Architecture.Phi3 && headDim > 2 && random.Below(2) == 0 ? headDim / 4 * 2 : headDim,
            Ffn = random.Of<int>([2, 20, 32, 50, 96, 100, 160, 224, 256, 288, 512, 544]),
            Vocab = random.Of<int>([31, 33, 50, 100, 257, 320, 321]),
            Context = random.Of<int>([1, 2, 17, 40, 64]),
            Window = a is Architecture.Llama or Architecture.Mixtral or Architecture.Qwen2 or Architecture.Qwen3 or Architecture.Qwen3Moe ? 0 : random.Of<int>([1, 3, 16, 20, 1000]),
            Tied = random.Below(2) == 0,
            Bias = a == Architecture.Llama && random.Below(2) == 0,
            Experts = experts,
            ExpertsUsed = experts == 0 ? 0 : 1 + random.Below(Math.Min(experts, 4)),
            StackedExperts = random.Below(2) == 0,
            Scaled = random.Below(2) == 0,
            NewForm = random.Below(2) == 0,
        };
    }
}
