using System.Runtime.InteropServices;

namespace AiFabrik.Engine.Text.Templates;

/// <summary>What a <see cref="Value"/> is.</summary>
internal enum Kind : byte
{
    /// <summary>No value: an argument that was not given, a variable not yet set, the result of a failure.</summary>
    Missing,
    Undefined,
    None,
    Bool,
    Int,

    /// <summary>An integer beyond 64 bits, kept as its decimal digits (with a minus sign) in text memory.</summary>
    BigInt,
    Float,
    Str,
    Bytes,
    List,
    Tuple,
    Dict,

    /// <summary>keys(), values() or items() of a dict; <see cref="Value.Aux"/> is a <see cref="ViewKind"/>.</summary>
    View,
    Range,
    Generator,
    Namespace,
    Macro,
    Caller,

    /// <summary>A method with its object.</summary>
    Method,
    Global,
    Loop,
    Cycler,
    Joiner,
}

internal enum ViewKind : ushort
{
    Keys,
    Values,
    Items,
}

[Flags]
internal enum ValueFlags : byte
{
    None = 0,

    /// <summary>A scalar that came with the request: what it prints is not trusted.</summary>
    Request = 1,

    /// <summary>A string that autoescaping leaves alone.</summary>
    Markup = 2,

    /// <summary>A tuple with the fields grouper and list.</summary>
    Group = 4,
}

/// <summary>
/// A value of a template: sixteen bytes that hold a scalar or point into <see cref="TextMemory"/> or
/// <see cref="CellMemory"/>. It holds no reference, so nothing of a request reaches the managed heap.
/// </summary>
[StructLayout(LayoutKind.Sequential)]
internal readonly struct Value
{
    public const int SizeBytes = 16;

    public readonly Kind Kind;
    public readonly ValueFlags Flags;
    public readonly ushort Aux;

    /// <summary>Bytes of a string, items of a collection, index of a macro or method.</summary>
    public readonly int Length;

    /// <summary>The scalar, or the address.</summary>
    public readonly long Bits;

    public Value(Kind kind, long bits, int length = 0, ushort aux = 0, ValueFlags flags = ValueFlags.None)
    {
        Kind = kind;
        Flags = flags;
        Aux = aux;
        Length = length;
        Bits = bits;
    }

    public static Value Undefined => new(Kind.Undefined, 0);
    public static Value None => new(Kind.None, 0);
    public static Value True => new(Kind.Bool, 1);
    public static Value False => new(Kind.Bool, 0);
    public static Value Bool(bool value) => new(Kind.Bool, value ? 1 : 0);
    public static Value Int(long value) => new(Kind.Int, value);
    public static Value Float(double value) => new(Kind.Float, BitConverter.DoubleToInt64Bits(value));
    public static Value Str(int address, int length, ValueFlags flags = ValueFlags.None) =>
        new(Kind.Str, address, length, 0, flags);

    public int Address => (int)Bits;
    public double AsFloat => BitConverter.Int64BitsToDouble(Bits);
    public bool IsMissing => Kind == Kind.Missing;
    public bool IsUndefined => Kind == Kind.Undefined;
    public bool IsNone => Kind == Kind.None;
    public bool IsStr => Kind == Kind.Str;

    /// <summary>Bool or integer: what Python's int covers.</summary>
    public bool IsInteger => Kind is Kind.Int or Kind.Bool or Kind.BigInt;
    public bool IsNumber => IsInteger || Kind == Kind.Float;
    public bool IsSequence => Kind is Kind.List or Kind.Tuple;
    public bool IsMarkup => (Flags & ValueFlags.Markup) != 0;

    public Value With(ValueFlags flags) => new(Kind, Bits, Length, Aux, Flags | flags);
    public Value Without(ValueFlags flags) => new(Kind, Bits, Length, Aux, Flags & ~flags);
}
