// float16, bfloat16 and e8m0 to float32, exactly, without any instruction set.
// Internal linkage: included by files that are compiled for different processors.
#pragma once
#include <cstdint>
#include <cstring>

namespace aifabrik {
namespace {

[[maybe_unused]] inline float bits_to_float(uint32_t bits) {
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

[[maybe_unused]] inline uint32_t float_to_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits;
}

[[maybe_unused]] inline float half_to_float(uint16_t half) {
    const uint32_t sign = static_cast<uint32_t>(half & 0x8000) << 16;
    const uint32_t exponent = (half >> 10) & 31;
    const uint32_t fraction = half & 1023;
    if (exponent == 31) return bits_to_float(sign | 0x7f800000 | fraction << 13);
    if (exponent != 0) return bits_to_float(sign | (exponent + 112) << 23 | fraction << 13);
    // Subnormal: fraction * 2^-24 is exact in float32.
    const float magnitude = static_cast<float>(fraction) * bits_to_float(0x33800000);
    return bits_to_float(sign | float_to_bits(magnitude));
}

[[maybe_unused]] inline float bfloat_to_float(uint16_t value) { return bits_to_float(static_cast<uint32_t>(value) << 16); }

// Half of 2^(exponent - 127), since MXFP4's table counts in halves.
[[maybe_unused]] inline float exponent_to_half_scale(uint8_t exponent) {
    return bits_to_float(exponent < 2 ? 0x00200000u << exponent : static_cast<uint32_t>(exponent - 1) << 23);
}

}  // namespace
}  // namespace aifabrik
