using AiFabrik.Engine.Text.Tokenization.Bpe;
using AiFabrik.Engine.Text.Tokenization.Regex;

namespace AiFabrik.Engine.Text;

/// <summary>
/// All working memory of encoding that may hold content. One user at a time; it grows to what the largest text needed and
/// is then reused without allocating. <see cref="Clear"/> zeroes it; memory that is outgrown is zeroed when it is left.
/// Linear in the text: about 40 bytes for each of the largest piece, and 10 for each of the text.
/// </summary>
public sealed class TokenizerScratch : IDisposable
{
    private readonly List<StepScratch> _steps = [];

    /// <summary>The text itself, well-formed.</summary>
    internal TextBuffer Text { get; } = new();

    /// <summary>A stretch between added tokens, normalized; steps of a sequence take turns.</summary>
    internal TextBuffer Normalized { get; } = new();
    internal TextBuffer Other { get; } = new();
    internal NormalizerScratch Normalizer { get; } = new();
    internal RegexScratch NormalizerRegex { get; } = new();
    internal BpeScratch Bpe { get; } = new();

    /// <summary>Where bytes go that a ByteLevel step had turned into characters.</summary>
    internal TextBuffer Unmapped { get; } = new();

    /// <summary>Memory of one step of the pre-tokenizer.</summary>
    internal StepScratch Step(int level)
    {
        while (_steps.Count <= level) _steps.Add(new StepScratch());
        return _steps[level];
    }

    /// <summary>Zeroes everything.</summary>
    public void Clear()
    {
        Text.Clear();
        Normalized.Clear();
        Other.Clear();
        Unmapped.Clear();
        Normalizer.Clear();
        NormalizerRegex.Clear();
        Bpe.Clear();
        foreach (var step in _steps) step.Clear();
    }

    public void Dispose() => Clear();
}

/// <summary>Memory of one step of the pre-tokenizer.</summary>
internal sealed class StepScratch
{
    internal TextBuffer Changed { get; } = new();
    internal TextBuffer Mapped { get; } = new();
    internal RegexScratch Regex { get; } = new();

    internal void Clear()
    {
        Changed.Clear();
        Mapped.Clear();
        Regex.Clear();
    }
}

/// <summary>Memory of a normalizer's stretch of combining characters.</summary>
internal sealed class NormalizerScratch
{
    internal int[] CodePoints = [], Sorted = [];
    internal byte[] Trust = [], SortedTrust = [];

    internal void Ensure(int count)
    {
        Grow(ref CodePoints, count);
        Grow(ref Sorted, count);
        Grow(ref Trust, count);
        Grow(ref SortedTrust, count);
    }

    internal void Clear()
    {
        Array.Clear(CodePoints);
        Array.Clear(Sorted);
        Array.Clear(Trust);
        Array.Clear(SortedTrust);
    }

    private static void Grow<T>(ref T[] array, int count) where T : unmanaged
    {
        if (array.Length >= count) return;
        var larger = GC.AllocateArray<T>(Math.Max(64, count * 2), pinned: true);
        array.CopyTo(larger, 0);
        Array.Clear(array);
        array = larger;
    }
}
