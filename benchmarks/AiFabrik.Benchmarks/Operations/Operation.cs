namespace AiFabrik.Benchmarks.Operations;

/// <summary>
/// One thing on the way of a request, ready to be repeated: BenchmarkDotNet times it, and a test holds the managed bytes that it allocates
/// against benchmarks/allocation-budgets.json.
/// </summary>
public abstract class Operation : IDisposable
{
    /// <summary>Its name in the budget file.</summary>
    public abstract string Name { get; }

    /// <summary>Does it once. Whatever it needs was made by the constructor.</summary>
    public abstract void Run();

    /// <summary>Managed bytes that one run allocates in the steady state.</summary>
    public long MeasureAllocatedBytes()
    {
        const int WarmUps = 200, Runs = 100;
        for (var i = 0; i < WarmUps; i++) Run();
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Runs; i++) Run();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Runs;
    }

    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    protected virtual void Dispose(bool disposing)
    {
    }

    /// <summary>All of them, each by the name of the budget file.</summary>
    public static IReadOnlyDictionary<string, Func<Operation>> All { get; } = new Dictionary<string, Func<Operation>>
    {
        ["read-chat-request"] = () => new ReadChatRequest(),
        ["check-json"] = () => new CheckJson(),
        ["render-chat-template"] = () => new RenderChatTemplate(),
        ["tokenize-prose"] = () => new TokenizeProse(),
        ["decode-token"] = () => new DecodeToken(),
        ["write-stream-chunk"] = () => new WriteStreamChunk(logprobs: false),
        ["write-logprobs-chunk"] = () => new WriteStreamChunk(logprobs: true),
        ["native-decode-step"] = () => new NativeDecodeStep(),
        ["sample-token"] = () => new SampleToken(),
    };
}
