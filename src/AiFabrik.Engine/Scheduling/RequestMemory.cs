using AiFabrik.Compute.Memory;
using AiFabrik.Engine.Sampling;

namespace AiFabrik.Engine.Scheduling;

/// <summary>What the choices of a request share: its parameters, copied into content memory. Pooled.</summary>
internal sealed class RequestMemory : IDisposable
{
    private readonly ContentArena _arena;
    private readonly int _bias, _stopTokens, _stopBytes, _stopStarts, _stopFailure;
    private int _biasCount, _stopTokenCount, _stopByteCount, _stopCount;

    public RequestMemory(EngineOptions options)
    {
        _arena = new ContentArena(checked(options.MaxLogitBias * 8 + options.MaxStopTokenIds * sizeof(int)
            + options.MaxStopBytes * (1 + sizeof(int)) + (options.MaxStopStrings + 1) * sizeof(int) + 6 * ContentArena.DefaultAlignment));
        if (!_arena.TryAllocate(options.MaxLogitBias * 8, out _bias) || !_arena.TryAllocate(options.MaxStopTokenIds * sizeof(int), out _stopTokens) ||
            !_arena.TryAllocate(options.MaxStopBytes, out _stopBytes) || !_arena.TryAllocate((options.MaxStopStrings + 1) * sizeof(int), out _stopStarts) ||
            !_arena.TryAllocate(options.MaxStopBytes * sizeof(int), out _stopFailure))
            throw new InvalidOperationException("The arena is too small for a request.");
    }

    public SamplingParameters Sampling { get; private set; }
    public ulong Seed { get; private set; }
    public int MaxTokens { get; private set; }
    public int MinTokens { get; private set; }
    public bool IgnoreEos { get; private set; }
    public bool Logprobs { get; private set; }
    public int TopLogprobs { get; private set; }

    public ReadOnlySpan<LogitBias> Bias => _arena.Values<LogitBias>(_bias, _biasCount);
    public ReadOnlySpan<int> StopTokenIds => _arena.Values<int>(_stopTokens, _stopTokenCount);
    public ReadOnlySpan<byte> StopBytes => _arena.Bytes(_stopBytes, _stopByteCount);
    public ReadOnlySpan<int> StopStarts => _arena.Values<int>(_stopStarts, _stopCount + 1);
    public ReadOnlySpan<int> StopFailure => _arena.Values<int>(_stopFailure, _stopByteCount);
    public int StopCount => _stopCount;

    /// <summary>Copies a request that fits the options. <paramref name="seed"/> serves if the request brings none.</summary>
    public void Load(in GenerationRequest request, ulong seed)
    {
        (Sampling, Seed) = (request.Sampling, request.Sampling.Seed ?? seed);
        (MaxTokens, MinTokens, IgnoreEos) = (request.MaxTokens, request.MinTokens, request.IgnoreEos);
        (Logprobs, TopLogprobs) = (request.Logprobs, request.Logprobs ? request.TopLogprobs : 0);
        _biasCount = request.LogitBias.Length;
        request.LogitBias.CopyTo(_arena.Values<LogitBias>(_bias, _biasCount));
        _stopTokenCount = request.StopTokenIds.Length;
        request.StopTokenIds.CopyTo(_arena.Values<int>(_stopTokens, _stopTokenCount));

        _stopCount = request.StopStrings.Length;
        _stopByteCount = 0;
        foreach (var range in request.StopStrings) _stopByteCount += request.StopBytes[range].Length;
        var starts = _arena.Values<int>(_stopStarts, _stopCount + 1);
        var at = 0;
        for (var s = 0; s < _stopCount; s++)
        {
            var stop = request.StopBytes[request.StopStrings[s]];
            starts[s] = at;
            stop.CopyTo(_arena.Bytes(_stopBytes + at, stop.Length));
            StopStrings.BuildFailure(stop, _arena.Values<int>(_stopFailure, _stopByteCount).Slice(at, stop.Length));
            at += stop.Length;
        }
        starts[_stopCount] = at;
    }

    /// <summary>Zeroes everything.</summary>
    public void Reset()
    {
        _arena.Bytes(0, _arena.CapacityBytes).Clear();
        Sampling = default;
        Seed = 0;
        _biasCount = _stopTokenCount = _stopByteCount = _stopCount = MaxTokens = MinTokens = TopLogprobs = 0;
        IgnoreEos = Logprobs = false;
    }

    public void Dispose() => _arena.Dispose();
}
