using System.Runtime.InteropServices;
using AiFabrik.Compute.Programs;

namespace AiFabrik.Engine.Models;

/// <summary>The plain floating-point types as float32.</summary>
internal static class FloatVectors
{
    /// <summary>F32, F16 or BF16.</summary>
    public static bool IsPlain(WeightType type) => type is WeightType.F32 or WeightType.F16 or WeightType.BF16;

    /// <summary>target[i] = source[i] + add. <paramref name="source"/> holds as many values as <paramref name="target"/>.</summary>
    public static void ToFloat(WeightType type, ReadOnlySpan<byte> source, Span<float> target, float add = 0)
    {
        switch (type)
        {
            case WeightType.F32:
                MemoryMarshal.Cast<byte, float>(source)[..target.Length].CopyTo(target);
                break;
            case WeightType.F16:
                var halves = MemoryMarshal.Cast<byte, Half>(source)[..target.Length];
                for (var i = 0; i < target.Length; i++) target[i] = (float)halves[i];
                break;
            case WeightType.BF16:
                var words = MemoryMarshal.Cast<byte, ushort>(source)[..target.Length];
                for (var i = 0; i < target.Length; i++) target[i] = BitConverter.Int32BitsToSingle(words[i] << 16);
                break;
            default:
                throw new ArgumentOutOfRangeException(nameof(type), type, "Not a plain floating-point type.");
        }
        if (add == 0) return;
        for (var i = 0; i < target.Length; i++) target[i] += add;
    }
}
