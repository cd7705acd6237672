using ILGPU;

namespace AiFabrik.Compute.Ilgpu.Kernels;

/// <summary>
/// IEEE half and bfloat16 in integer arithmetic, since OpenCL devices need not have either (PoCL has not). Exact, rounding to the
/// nearest even (IEEE 754-2019, 4.3.1); works where subnormal float32 are flushed.
/// </summary>
internal static class NumberFormats
{
    /// <summary>Told by the bits: what comparisons say of NaN differs between devices.</summary>
    public static bool IsNaN(float value) => (Interop.FloatAsInt(value) & 0x7FFFFFFF) > 0x7F800000;

    private const uint HalfSmallestNormal = 0x400;
    private const float HalfSubnormalStep = 5.9604645e-8f;

    /// <summary>127 − 15 in float32's exponent field.</summary>
    private const uint ExponentShift = 0x3800_0000;

    /// <summary>The half in the low 16 bits.</summary>
    public static float FromHalf(uint bits)
    {
        var magnitude = bits & 0x7FFF;
        var value = magnitude < HalfSmallestNormal ? (int)magnitude * HalfSubnormalStep : Interop.IntAsFloat((magnitude << 13) + ExponentShift);
        return (bits & 0x8000) != 0 ? -value : value;
    }

    public static float FromBFloat16(uint bits) => Interop.IntAsFloat(bits << 16);

    /// <summary>The nearest half; beyond its range infinity.</summary>
    public static uint ToHalf(float value)
    {
        var bits = Interop.FloatAsInt(value);
        var sign = bits >> 16 & 0x8000;
        var magnitude = bits & 0x7FFF_FFFF;
        // Adding 0.5, whose last bit is a half's smallest step, rounds a subnormal half; normal ones round by a carry in the integer.
        var subnormal = Interop.FloatAsInt(Interop.IntAsFloat(magnitude) + 0.5f) - 0x3F00_0000;
        var normal = magnitude + 0xFFF + (magnitude >> 13 & 1) - ExponentShift >> 13;
        var finite = magnitude < 0x3880_0000 ? subnormal : normal;
        var result = magnitude >= 0x4780_0000 ? (magnitude > 0x7F80_0000 ? 0x7E00u : 0x7C00u) : finite;
        return sign | result;
    }
}
