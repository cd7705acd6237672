using AiFabrik.Benchmarks.Operations;
using BenchmarkDotNet.Attributes;

namespace AiFabrik.Benchmarks;

/// <summary>Everything between the socket and the engine, and back: time and allocated bytes.</summary>
[MemoryDiagnoser]
public class RequestPathBenchmarks
{
    private Operation _operation = null!;

    [Params("read-chat-request", "check-json", "render-chat-template", "tokenize-prose", "decode-token", "write-stream-chunk", "write-logprobs-chunk", "sample-token")]
    public string Step { get; set; } = "";

    [GlobalSetup]
    public void Setup() => _operation = Operation.All[Step]();

    [Benchmark]
    public void Run() => _operation.Run();

    [GlobalCleanup]
    public void Cleanup() => _operation.Dispose();
}
