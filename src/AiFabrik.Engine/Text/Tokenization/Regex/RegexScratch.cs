namespace AiFabrik.Engine.Text.Tokenization.Regex;

/// <summary>Working memory of a matcher over one text: backtracking stack and remembered failures. Pinned, so that it can be wiped.</summary>
internal sealed class RegexScratch
{
    private const int StackInitial = 256;
    internal int[] Stack = GC.AllocateArray<int>(StackInitial, pinned: true);
    internal int Top;
    internal int[] LoopFailures = [];
    internal bool Remembers;
    internal long Steps, StepsBeforeMemory;

    /// <summary>Instructions run and bytes passed since the scratch was made. For tests.</summary>
    internal long Work;
    private ulong[] _failures = [];
    private int _positions;

    /// <summary>Starts on a new text.</summary>
    internal void Begin(RegexProgram program, int textBytes)
    {
        var loops = program.Loops * 2;
        if (LoopFailures.Length < loops) LoopFailures = GC.AllocateArray<int>(loops, pinned: true);
        LoopFailures.AsSpan(0, loops).Fill(-1);
        Top = 0;
        Remembers = false;
        Steps = 0;
        StepsBeforeMemory = 4096 + 16L * textBytes;
        _positions = textBytes + 1;
    }

    /// <summary>One choice more, entered or gone back to; many of them turn the memory of failed choices on.</summary>
    internal void CountStep(RegexProgram program)
    {
        if (++Steps > StepsBeforeMemory && !Remembers) Remember(program.Choices);
    }

    /// <summary>At most a bit for each choice and position.</summary>
    private void Remember(int choices)
    {
        var words = checked((int)(((long)choices * _positions + 63) / 64));
        if (_failures.Length < words)
        {
            Array.Clear(_failures);
            _failures = GC.AllocateArray<ulong>(words, pinned: true);
        }
        else
        {
            _failures.AsSpan(0, words).Clear();
        }

        Remembers = true;
    }

    internal bool HasFailed(int choice, int at)
    {
        var bit = (long)choice * _positions + at;
        return (_failures[(int)(bit >> 6)] >> (int)(bit & 63) & 1) != 0;
    }

    internal void SetFailed(int choice, int at)
    {
        var bit = (long)choice * _positions + at;
        _failures[(int)(bit >> 6)] |= 1UL << (int)(bit & 63);
    }

    internal void Push(int pc, int at, int a, int b)
    {
        if (Top + 4 > Stack.Length) Grow();
        var s = Stack;
        var top = Top;
        s[top] = pc;
        s[top + 1] = at;
        s[top + 2] = a;
        s[top + 3] = b;
        Top = top + 4;
    }

    internal void Clear()
    {
        Array.Clear(Stack);
        Array.Clear(LoopFailures);
        Array.Clear(_failures);
    }

    private void Grow()
    {
        var larger = GC.AllocateArray<int>(Stack.Length * 2, pinned: true);
        Stack.CopyTo(larger, 0);
        Array.Clear(Stack);
        Stack = larger;
    }
}
