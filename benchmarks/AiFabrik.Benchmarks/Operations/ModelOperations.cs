using AiFabrik.Compute.Native;
using AiFabrik.Engine.Models;

namespace AiFabrik.Benchmarks.Operations;

/// <summary>A decode step of the default model on the native executor.</summary>
internal sealed class NativeDecodeStep : Operation
{
    private const int Context = 512;
    private readonly NativeExecutor _executor;
    private readonly SequenceRunner _runner;
    private readonly int[] _token = [1];

    public NativeDecodeStep()
    {
        var program = DefaultModel.Instance.Program;
        _executor = NativeExecutor.Create(program, SequenceRunner.LimitsFor(program, Context));
        _runner = new SequenceRunner(_executor, program);
    }

    public override string Name => "native-decode-step";

    public override void Run()
    {
        if (_runner.Length == Context) _runner.Reset();
        _token[0] = _runner.AppendAndPredict(_token);
    }

    protected override void Dispose(bool disposing)
    {
        _runner.Dispose();
        _executor.Dispose();
        base.Dispose(disposing);
    }
}
