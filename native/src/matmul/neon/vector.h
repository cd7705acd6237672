// NEON with dot product (ARMv8.2): a vector holds 4 of the 16 rows of a group.
#pragma once
#include <arm_neon.h>
#include "../kernel/act_block.h"
#include "../kernel/exp.h"
#include "../kernel/prepare_act.h"

namespace aifabrik {
namespace {

struct Neon {
    static constexpr int rows = 4;
    static constexpr bool signed_bytes = true;   // sdot: signed codes x signed columns; codes below 128 are both
    static constexpr int gemv_columns = 4;       // 4 x 4 sums of 32 registers
    static constexpr int int8_tile = 2;
    static constexpr int float_tile = 4;

    using Codes = uint8x16_t;
    using Floats = float32x4_t;

    static AIFABRIK_INLINE Codes load(const uint8_t* p) { return vld1q_u8(p); }
    static AIFABRIK_INLINE void store(uint8_t* p, Codes x) { vst1q_u8(p, x); }
    static AIFABRIK_INLINE Codes masked(Codes x, int mask) { return vandq_u8(x, vdupq_n_u8(static_cast<uint8_t>(mask))); }
    // Bytes shifted left by S (right by -S).
    template <int S> static AIFABRIK_INLINE Codes shifted(Codes x, int mask) {
        if constexpr (S > 0) return masked(vshlq_n_u8(x, S), mask);
        else if constexpr (S < 0) return masked(vshrq_n_u8(x, -S), mask);
        else return masked(x, mask);
    }
    template <int S> static AIFABRIK_INLINE Codes merged(Codes code, Codes x, int mask) { return vorrq_u8(code, shifted<S>(x, mask)); }
    static AIFABRIK_INLINE Codes flip_top_bit(Codes x) { return veorq_u8(x, vdupq_n_u8(0x80)); }
    static AIFABRIK_INLINE Codes table(const int8_t* values, int offset) { return vreinterpretq_u8_s8(vaddq_s8(vld1q_s8(values), vdupq_n_s8(static_cast<int8_t>(offset)))); }
    static AIFABRIK_INLINE Codes lookup(Codes values, Codes index) { return vqtbl1q_u8(values, index); }

    using Quad = int8x16_t;
    static AIFABRIK_INLINE Quad quad(const int8_t* p) {
        int32_t value;
        __builtin_memcpy(&value, p, 4);
        return vreinterpretq_s8_s32(vdupq_n_s32(value));
    }
    template <int CodeMax> struct Dot {
        int32x4_t sum;
        AIFABRIK_INLINE void start(int32_t value) { sum = vdupq_n_s32(value); }
        AIFABRIK_INLINE void add(Codes w, Quad x, int) { sum = vdotq_s32(sum, vreinterpretq_s8_u8(w), x); }
        AIFABRIK_INLINE Floats end(int) const { return vcvtq_f32_s32(sum); }
    };

    static AIFABRIK_INLINE uint32x4_t four_bytes(const uint8_t* p) {
        uint32_t value;
        __builtin_memcpy(&value, p, 4);
        return vmovl_u16(vget_low_u16(vmovl_u8(vreinterpret_u8_u32(vdup_n_u32(value)))));
    }
    static AIFABRIK_INLINE Floats half(const uint8_t* p) { return vcvt_f32_f16(vreinterpret_f16_u8(vld1_u8(p))); }
    static AIFABRIK_INLINE Floats signed_bytes_at(const uint8_t* p) {
        uint32_t value;
        __builtin_memcpy(&value, p, 4);
        return vcvtq_f32_s32(vmovl_s16(vget_low_s16(vmovl_s8(vreinterpret_s8_u32(vdup_n_u32(value))))));
    }
    static AIFABRIK_INLINE void nibbles_at(const uint8_t* p, Floats& low, Floats& high) {
        const uint32x4_t x = four_bytes(p);
        low = vcvtq_f32_u32(vandq_u32(x, vdupq_n_u32(15)));
        high = vcvtq_f32_u32(vshrq_n_u32(x, 4));
    }
    // Byte `index` of each lane, minus `bias`.
    static AIFABRIK_INLINE Floats lane_byte(Codes x, int index, int bias) {
        const uint32x4_t byte = vandq_u32(vshlq_u32(vreinterpretq_u32_u8(x), vdupq_n_s32(-8 * index)), vdupq_n_u32(255));
        return vcvtq_f32_s32(vsubq_s32(vreinterpretq_s32_u32(byte), vdupq_n_s32(bias)));
    }
    // Two bytes for each row become four: low halves of both, then high halves of both.
    static AIFABRIK_INLINE Codes nibbles_of_pairs(const uint8_t* p) {
        const uint32x4_t x = vmovl_u16(vreinterpret_u16_u8(vld1_u8(p)));
        const uint32x4_t mask = vdupq_n_u32(0x0f0f);
        return vreinterpretq_u8_u32(vorrq_u32(vandq_u32(x, mask), vshlq_n_u32(vandq_u32(vshrq_n_u32(x, 4), mask), 16)));
    }
    // Half of 2^(byte - 127).
    static AIFABRIK_INLINE Floats exponents(const uint8_t* p) {
        const uint32x4_t e = four_bytes(p);
        const uint32x4_t normal = vshlq_n_u32(vsubq_u32(e, vdupq_n_u32(1)), 23);
        const uint32x4_t tiny = vshlq_u32(vdupq_n_u32(0x00200000), vreinterpretq_s32_u32(e));
        return vreinterpretq_f32_u32(vbslq_u32(vcltq_u32(e, vdupq_n_u32(2)), tiny, normal));
    }
    static AIFABRIK_INLINE void bfloat_pair(const uint8_t* p, Floats& first, Floats& second) {
        const uint32x4_t x = vreinterpretq_u32_u8(vld1q_u8(p));
        first = vreinterpretq_f32_u32(vshlq_n_u32(x, 16));
        second = vreinterpretq_f32_u32(vandq_u32(x, vdupq_n_u32(0xffff0000)));
    }

    static AIFABRIK_INLINE Floats load_floats(const float* p) { return vld1q_f32(p); }
    static AIFABRIK_INLINE void store_floats(float* p, Floats x) { vst1q_f32(p, x); }
    static AIFABRIK_INLINE Floats all(float x) { return vdupq_n_f32(x); }
    static AIFABRIK_INLINE Floats add(Floats a, Floats b) { return vaddq_f32(a, b); }
    static AIFABRIK_INLINE Floats mul(Floats a, Floats b) { return vmulq_f32(a, b); }
    static AIFABRIK_INLINE Floats div(Floats a, Floats b) { return vdivq_f32(a, b); }
    static AIFABRIK_INLINE Floats fma(Floats a, Floats b, Floats c) { return vfmaq_f32(c, a, b); }
    static AIFABRIK_INLINE Floats min(Floats a, Floats b) { return vminq_f32(a, b); }
    static AIFABRIK_INLINE Floats max(Floats a, Floats b) { return vmaxq_f32(a, b); }
    static AIFABRIK_INLINE Floats negate(Floats a) { return vnegq_f32(a); }
    static AIFABRIK_INLINE Floats round(Floats a) { return vrndnq_f32(a); }
    static AIFABRIK_INLINE Floats times_power_of_2(Floats a, Floats n) {   // n in -126..127
        const int32x4_t exponent = vaddq_s32(vcvtnq_s32_f32(n), vdupq_n_s32(127));
        return vmulq_f32(a, vreinterpretq_f32_s32(vshlq_n_s32(exponent, 23)));
    }
    static AIFABRIK_INLINE Floats exp(Floats x) { return exp_polynomial<Neon>(x); }

    static AIFABRIK_INLINE void prefetch(const uint8_t* p) { __builtin_prefetch(p, 0, 3); }

    static AIFABRIK_INLINE void quantise_block(const float* x, ActBlock& block) {
        float32x4_t most = vdupq_n_f32(0.0f);
        AIFABRIK_UNROLL for (int i = 0; i < 8; i++) most = vmaxq_f32(most, vabsq_f32(vld1q_f32(x + 4 * i)));
        const float largest = vmaxvq_f32(most);
        const float inverse = largest < kActZeroBelow ? 0.0f : 127.0f / largest;
        int sum[2];
        AIFABRIK_UNROLL for (int h = 0; h < 2; h++) {
            int32x4_t q[4];
            AIFABRIK_UNROLL for (int i = 0; i < 4; i++) q[i] = vcvtnq_s32_f32(vmulq_n_f32(vld1q_f32(x + 16 * h + 4 * i), inverse));
            const int16x8_t low = vcombine_s16(vqmovn_s32(q[0]), vqmovn_s32(q[1])), high = vcombine_s16(vqmovn_s32(q[2]), vqmovn_s32(q[3]));
            vst1q_s8(block.q + 16 * h, vcombine_s8(vqmovn_s16(low), vqmovn_s16(high)));
            sum[h] = vaddvq_s32(vaddq_s32(vaddq_s32(q[0], q[1]), vaddq_s32(q[2], q[3])));
        }
        finish_act_block(block, largest < kActZeroBelow ? 0.0f : largest / 127.0f, sum[0], sum[1]);
    }
};

}  // namespace
}  // namespace aifabrik
