namespace AiFabrik.Compute.Programs;

/// <summary>How an executor rounds activations and the KV cache; each class has error bounds in the golden set.</summary>
public enum ExactnessClass
{
    /// <summary>float32 activations and cache.</summary>
    Reference,

    /// <summary>float32 activations, fp16 cache.</summary>
    Float16,

    /// <summary>bf16 before each matrix product, float32 sums and residual.</summary>
    BFloat16,

    /// <summary>8-bit activations with a scale for each 32, float32 sums and residual, fp16 cache.</summary>
    Int8,
}

/// <summary>What an executor is: printed at start, by doctor and by bench.</summary>
/// <param name="Device">"cpu", "reference", "cuda:0", "opencl:0".</param>
/// <param name="Description">Processor or device name and instruction set.</param>
/// <param name="Threads">Threads of the host that compute; 0 for a device.</param>
/// <param name="CopiesLogits">Logits lie in a device's memory: a row in full costs a copy, and the best few (<see cref="LogitsWanted.Top"/>) cost less.</param>
public sealed record ExecutorInfo(string Device, string Description, ExactnessClass Class, int Threads, bool CopiesLogits = false);

/// <summary>
/// Runs a <see cref="TransformerProgram"/>. Owns packed weights, activations and KV cache. One thread calls it.
/// Implemented by the reference (scalar C#), the native (C++ SIMD) and the ILGPU executor.
/// </summary>
public interface IExecutor : IDisposable
{
    ExecutorInfo Info { get; }
    StepLimits Limits { get; }

    /// <summary>Runs one step. Afterwards the KV cache holds the step's tokens and results are readable until the next call.</summary>
    void Run(StepBatch batch);

    /// <summary>The best token of logit row <paramref name="row"/> of the last step (ties to the lowest id).</summary>
    int Argmax(int row);

    /// <summary>[VocabSize] logits of a row for which <see cref="LogitsWanted.Full"/> was asked. The caller may change them in place.</summary>
    Span<float> Logits(int row);

    /// <summary>The best logits of a row for which <see cref="LogitsWanted.Top"/> was asked. Spans hold until the next call of any method.</summary>
    TopLogits Top(int row);

    /// <summary>Zeroes KV blocks of a group, before they may serve anyone else.</summary>
    void ClearBlocks(int group, ReadOnlySpan<int> blocks);

    /// <summary>Zeroes activations, logits and staging.</summary>
    void ClearActivations();
}
