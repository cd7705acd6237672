using System.Diagnostics.CodeAnalysis;
using AiFabrik.Engine.Text.Tokenization.Unicode;

namespace AiFabrik.Engine.Text.Tokenization.Regex;

internal enum RegexOp
{
    /// <summary>One character of a class.</summary>
    One,

    /// <summary>A repeat of one class.</summary>
    Loop,

    /// <summary>Alternatives in order.</summary>
    Alternatives,
    Assert,
    LookAhead,
    LookBehind,

    /// <summary>A look-ahead at one character of a class.</summary>
    LookAheadOne,
    Atomic,
    Accept,
}

/// <summary>An instruction; <see cref="Next"/> is where matching goes on.</summary>
internal sealed class RegexInstruction(RegexOp op, int next)
{
    internal readonly RegexOp Op = op;
    internal readonly int Next = next;
    internal CharClass? Class;

    /// <summary>Bounds of a loop (max -1: unbounded); characters that a look-behind goes back.</summary>
    internal int Min, Max;
    internal RepeatMode Mode;
    internal AssertKind Assert;
    internal bool Negative;
    internal int Body;
    internal int[] Targets = [];

    /// <summary>For a byte (256: end of text), which targets may match there.</summary>
    internal ulong[] Dispatch = [];

    /// <summary>For a byte (256: end of text), whether what follows a loop may match there.</summary>
    internal bool[] NextFirst = [];

    /// <summary>A loop whose shorter forms can never help, as what follows can't start with a member.</summary>
    internal bool NeverShorter;

    /// <summary>Index among loops, and among choices.</summary>
    internal int LoopIndex = -1, ChoiceIndex = -1;
}

/// <summary>
/// An expression compiled to instructions that each know what follows them, so that whether an instruction matches at a
/// place depends on nothing else: that is what lets <see cref="RegexMatcher"/> remember failures and stay linear.
/// </summary>
internal sealed class RegexProgram
{
    internal const int InstructionsMax = 8192;
    private const int TargetsMax = 63;
    private readonly List<RegexInstruction> _code = [];
    private readonly Dictionary<CodePointSet, CharClass> _classes = [];
    private readonly Dictionary<int, bool[]> _first = [];
    private CharClass? _word;

    private RegexProgram()
    {
    }

    internal RegexInstruction[] Code { get; private set; } = [];
    internal int Start { get; private set; }

    /// <summary>Bytes that a match may start with; index 256: at the end of the text.</summary>
    internal bool[] StartFirst { get; private set; } = [];
    internal int Loops { get; private set; }
    internal int Choices { get; private set; }
    internal CharClass? WordClass => _word;

    /// <summary>Compiles a pattern; on failure <paramref name="error"/> is one sentence that names what is not supported.</summary>
    internal static bool TryCompile(string pattern, [NotNullWhen(true)] out RegexProgram? program, out string error)
    {
        (program, error) = (null, "");
        try
        {
            var compiled = new RegexProgram();
            compiled.Compile(RegexParser.Parse(pattern));
            program = compiled;
            return true;
        }
        catch (RegexRefusedException refused)
        {
            error = refused.Message;
            return false;
        }
    }

    private void Compile(RegexNode root)
    {
        var accept = Add(new RegexInstruction(RegexOp.Accept, -1));
        Start = Emit(root, accept);
        StartFirst = First(Start);
        foreach (var i in _code)
        {
            if (i.Op == RegexOp.Alternatives) FillDispatch(i);
            if (i.Op != RegexOp.Loop) continue;
            i.NextFirst = First(i.Next);
            i.NeverShorter = i.Mode == RepeatMode.Greedy;
            for (var b = 0; b < 256; b++) i.NeverShorter &= !(i.NextFirst[b] && i.Class!.FirstBytes[b]);
            i.NeverShorter |= i.Mode == RepeatMode.Possessive;
        }

        Code = [.. _code];
    }

    private void FillDispatch(RegexInstruction instruction)
    {
        instruction.Dispatch = new ulong[257];
        for (var t = 0; t < instruction.Targets.Length; t++)
        {
            var first = First(instruction.Targets[t]);
            for (var b = 0; b <= 256; b++)
            {
                if (first[b]) instruction.Dispatch[b] |= 1UL << t;
            }
        }
    }

    private int Add(RegexInstruction instruction)
    {
        if (_code.Count >= InstructionsMax) throw RegexParser.Refuse("an expression that is too large");
        _code.Add(instruction);
        return _code.Count - 1;
    }

    private int Choice(int[] targets) => Add(new RegexInstruction(RegexOp.Alternatives, -1) { Targets = targets, ChoiceIndex = Choices++ });

    private CharClass Class(CodePointSet set)
    {
        if (!_classes.TryGetValue(set, out var c)) _classes.Add(set, c = new CharClass(set));
        return c;
    }

    private int Emit(RegexNode node, int next)
    {
        switch (node)
        {
            case RegexNode.One one:
                return Add(new RegexInstruction(RegexOp.One, next) { Class = Class(one.Set) });
            case RegexNode.Sequence sequence:
                for (var i = sequence.Items.Count - 1; i >= 0; i--) next = Emit(sequence.Items[i], next);
                return next;
            case RegexNode.Alternation alternation:
                return EmitAlternatives([.. alternation.Items.Select(i => Emit(i, next))]);
            case RegexNode.Repeat repeat:
                return EmitRepeat(repeat, next);
            case RegexNode.Assert assert:
                if (assert.Kind is AssertKind.WordBorder or AssertKind.NotWordBorder) _word ??= new CharClass(UnicodeProperties.Word());
                return Add(new RegexInstruction(RegexOp.Assert, next) { Assert = assert.Kind });
            case RegexNode.Look look:
                return EmitLook(look, next);
            case RegexNode.Atomic atomic:
                return EmitAtomic(atomic, next);
            default:
                throw RegexParser.Refuse("an unknown construct in an expression");
        }
    }

    private int EmitAlternatives(int[] targets) =>
        targets.Length <= TargetsMax ? Choice(targets) : Choice([.. targets[..(TargetsMax - 1)], EmitAlternatives(targets[(TargetsMax - 1)..])]);

    private int EmitRepeat(RegexNode.Repeat repeat, int next)
    {
        var body = repeat.Body;
        while (body is RegexNode.Sequence { Items.Count: 1 } s) body = s.Items[0];
        if (body is RegexNode.One one)
        {
            return Add(new RegexInstruction(RegexOp.Loop, next)
            {
                Class = Class(one.Set), Min = repeat.Min, Max = repeat.Max, Mode = repeat.Mode, LoopIndex = Loops++, ChoiceIndex = Choices++,
            });
        }

        if (repeat.Mode == RepeatMode.Possessive)
            return Emit(new RegexNode.Atomic(repeat with { Mode = RepeatMode.Greedy }), next);
        var tail = next;
        if (repeat.Max < 0)
        {
            tail = Choice([]);
            var inner = Emit(body, tail);
            _code[tail].Targets = Order(inner, next, repeat.Mode);
        }
        else
        {
            for (var i = repeat.Min; i < repeat.Max; i++) tail = Choice(Order(Emit(body, tail), next, repeat.Mode));
        }

        for (var i = 0; i < repeat.Min; i++) tail = Emit(body, tail);
        return tail;
    }

    /// <summary>A group that keeps its first match. Its failures are remembered, but not its matches: so only bounded ones, and loops over one class.</summary>
    private int EmitAtomic(RegexNode.Atomic atomic, int next)
    {
        var body = atomic.Body;
        while (body is RegexNode.Sequence { Items.Count: 1 } s) body = s.Items[0];
        if (body is RegexNode.Repeat { Body: RegexNode.One, Mode: not RepeatMode.Lazy } loop) return EmitRepeat(loop with { Mode = RepeatMode.Possessive }, next);
        if (RegexNode.Width(body).Most is < 0 or > RegexParser.RepeatMax) throw RegexParser.Refuse("an unbounded atomic group or possessive repeat of a group");
        var start = Emit(body, Add(new RegexInstruction(RegexOp.Accept, -1)));
        return Add(new RegexInstruction(RegexOp.Atomic, next) { Body = start });
    }

    private static int[] Order(int body, int next, RepeatMode mode) => mode == RepeatMode.Lazy ? [next, body] : [body, next];

    private int EmitLook(RegexNode.Look look, int next)
    {
        var (fewest, most) = RegexNode.Width(look.Body);
        if (most is < 0 or > RegexParser.RepeatMax) throw RegexParser.Refuse("an unbounded look-around");
        if (look.Behind && fewest != most) throw RegexParser.Refuse("a look-behind of varying length");
        var body = look.Body;
        while (body is RegexNode.Sequence { Items.Count: 1 } s) body = s.Items[0];
        if (body is RegexNode.One one && !look.Behind)
            return Add(new RegexInstruction(RegexOp.LookAheadOne, next) { Class = Class(one.Set), Negative = look.Negative });
        var start = Emit(body, Add(new RegexInstruction(RegexOp.Accept, -1)));
        return Add(new RegexInstruction(look.Behind ? RegexOp.LookBehind : RegexOp.LookAhead, next) { Body = start, Negative = look.Negative, Min = (int)fewest });
    }

    /// <summary>Bytes with which a match from an instruction may start: never too few.</summary>
    private bool[] First(int pc)
    {
        if (_first.TryGetValue(pc, out var known)) return known;
        var i = _code[pc];
        var first = new bool[257];
        switch (i.Op)
        {
            case RegexOp.One:
                i.Class!.FirstBytes.CopyTo(first, 0);
                break;
            case RegexOp.Loop:
                i.Class!.FirstBytes.CopyTo(first, 0);
                if (i.Min == 0) Union(first, First(i.Next));
                break;
            case RegexOp.Alternatives:
                foreach (var target in i.Targets) Union(first, First(target));
                break;
            case RegexOp.Accept or RegexOp.Atomic:
                Array.Fill(first, true);
                break;
            default:
                Union(first, First(i.Next));
                break;
        }

        _first[pc] = first;
        return first;
    }

    private static void Union(bool[] into, bool[] from)
    {
        for (var b = 0; b < into.Length; b++) into[b] |= from[b];
    }
}
