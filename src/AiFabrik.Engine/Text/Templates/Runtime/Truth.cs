namespace AiFabrik.Engine.Text.Templates;

/// <summary>Whether a value counts as true.</summary>
internal static class Truth
{
    public static bool Of(Interpreter vm, in Value value) => value.Kind switch
    {
        Kind.Missing or Kind.Undefined or Kind.None => false,
        Kind.Bool or Kind.Int => value.Bits != 0,
        Kind.Float => value.AsFloat != 0,
        Kind.Str or Kind.Bytes or Kind.List or Kind.Tuple or Kind.Dict or Kind.View => value.Length != 0,
        Kind.Range => Ranges.Count(vm, value) != 0,
        _ => true,
    };
}
