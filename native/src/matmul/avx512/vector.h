// AVX-512 (F, BW, DQ, VL, VNNI): a vector holds all 16 rows of a group.
#pragma once
#include <immintrin.h>
#include "../kernel/act_block.h"
#include "../kernel/exp.h"
#include "../kernel/prepare_act.h"

namespace aifabrik {
namespace {

struct Avx512 {
    static constexpr int rows = 16;
    static constexpr bool signed_bytes = false;   // vpdpbusd: unsigned codes x signed columns
    static constexpr int gemv_columns = 16;
    static constexpr int int8_tile = 2;           // 2 x 6: 12 integer and 12 float sums, 8 registers to work with
    static constexpr int float_tile = 4;          // 4 x 6

    using Codes = __m512i;
    using Floats = __m512;

    static AIFABRIK_INLINE Codes load(const uint8_t* p) { return _mm512_loadu_si512(p); }
    static AIFABRIK_INLINE void store(uint8_t* p, Codes x) { _mm512_storeu_si512(p, x); }
    static AIFABRIK_INLINE Codes masked(Codes x, int mask) { return _mm512_and_si512(x, _mm512_set1_epi8(static_cast<char>(mask))); }
    // Bytes shifted left by S (right by -S); bits that cross from one byte to the next must be outside of the mask.
    template <int S> static AIFABRIK_INLINE Codes moved(Codes x) {
        if constexpr (S > 0) return _mm512_slli_epi16(x, S);
        else if constexpr (S < 0) return _mm512_srli_epi16(x, -S);
        else return x;
    }
    template <int S> static AIFABRIK_INLINE Codes shifted(Codes x, int mask) { return masked(moved<S>(x), mask); }
    template <int S> static AIFABRIK_INLINE Codes merged(Codes code, Codes x, int mask) {
        return _mm512_ternarylogic_epi32(code, moved<S>(x), _mm512_set1_epi8(static_cast<char>(mask)), 0xF8);   // a | (b & c)
    }
    static AIFABRIK_INLINE Codes flip_top_bit(Codes x) { return _mm512_xor_si512(x, _mm512_set1_epi8(-128)); }
    static AIFABRIK_INLINE Codes table(const int8_t* values, int offset) {
        const __m128i signed_values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(values));
        return _mm512_broadcast_i32x4(_mm_add_epi8(signed_values, _mm_set1_epi8(static_cast<char>(offset))));
    }
    static AIFABRIK_INLINE Codes lookup(Codes values, Codes index) { return _mm512_shuffle_epi8(values, index); }

    // Four int8 of a column, for every row.
    using Quad = __m512i;
    static AIFABRIK_INLINE Quad quad(const int8_t* p) {
        int value;
        __builtin_memcpy(&value, p, 4);
        return _mm512_set1_epi32(value);
    }
    template <int CodeMax> struct Dot {
        __m512i sum;
        AIFABRIK_INLINE void start(int32_t value) { sum = _mm512_set1_epi32(value); }
        AIFABRIK_INLINE void add(Codes w, Quad x, int) { sum = _mm512_dpbusd_epi32(sum, w, x); }
        AIFABRIK_INLINE Floats end(int) const { return _mm512_cvtepi32_ps(sum); }
    };

    // Scales.
    static AIFABRIK_INLINE Floats half(const uint8_t* p) { return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
    static AIFABRIK_INLINE Floats signed_bytes_at(const uint8_t* p) { return _mm512_cvtepi32_ps(_mm512_cvtepi8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)))); }
    static AIFABRIK_INLINE void nibbles_at(const uint8_t* p, Floats& low, Floats& high) {
        const __m512i x = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
        low = _mm512_cvtepi32_ps(_mm512_and_si512(x, _mm512_set1_epi32(15)));
        high = _mm512_cvtepi32_ps(_mm512_srli_epi32(x, 4));
    }
    // Byte `index` of each lane, minus `bias`.
    static AIFABRIK_INLINE Floats lane_byte(Codes x, int index, int bias) {
        __m512i byte = _mm512_and_si512(_mm512_srl_epi32(x, _mm_cvtsi32_si128(8 * index)), _mm512_set1_epi32(255));
        if (bias != 0) byte = _mm512_sub_epi32(byte, _mm512_set1_epi32(bias));
        return _mm512_cvtepi32_ps(byte);
    }
    // Two bytes for each row become four: low halves of both, then high halves of both.
    static AIFABRIK_INLINE Codes nibbles_of_pairs(const uint8_t* p) {
        const __m512i x = _mm512_cvtepu16_epi32(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
        const __m512i mask = _mm512_set1_epi32(0x0f0f);
        return _mm512_or_si512(_mm512_and_si512(x, mask), _mm512_slli_epi32(_mm512_and_si512(_mm512_srli_epi32(x, 4), mask), 16));
    }
    // Half of 2^(byte - 127).
    static AIFABRIK_INLINE Floats exponents(const uint8_t* p) {
        const __m512i e = _mm512_cvtepu8_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
        const __m512i normal = _mm512_slli_epi32(_mm512_sub_epi32(e, _mm512_set1_epi32(1)), 23);
        const __m512i tiny = _mm512_sllv_epi32(_mm512_set1_epi32(0x00200000), e);
        return _mm512_castsi512_ps(_mm512_mask_blend_epi32(_mm512_cmplt_epi32_mask(e, _mm512_set1_epi32(2)), normal, tiny));
    }
    static AIFABRIK_INLINE void bfloat_pair(const uint8_t* p, Floats& first, Floats& second) {
        const __m512i x = _mm512_loadu_si512(p);
        first = _mm512_castsi512_ps(_mm512_slli_epi32(x, 16));
        second = _mm512_castsi512_ps(_mm512_and_si512(x, _mm512_set1_epi32(static_cast<int>(0xffff0000))));
    }

    static AIFABRIK_INLINE Floats load_floats(const float* p) { return _mm512_loadu_ps(p); }
    static AIFABRIK_INLINE void store_floats(float* p, Floats x) { _mm512_storeu_ps(p, x); }
    static AIFABRIK_INLINE Floats all(float x) { return _mm512_set1_ps(x); }
    static AIFABRIK_INLINE Floats add(Floats a, Floats b) { return _mm512_add_ps(a, b); }
    static AIFABRIK_INLINE Floats mul(Floats a, Floats b) { return _mm512_mul_ps(a, b); }
    static AIFABRIK_INLINE Floats div(Floats a, Floats b) { return _mm512_div_ps(a, b); }
    static AIFABRIK_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm512_fmadd_ps(a, b, c); }
    static AIFABRIK_INLINE Floats min(Floats a, Floats b) { return _mm512_min_ps(a, b); }
    static AIFABRIK_INLINE Floats max(Floats a, Floats b) { return _mm512_max_ps(a, b); }
    static AIFABRIK_INLINE Floats negate(Floats a) { return _mm512_xor_ps(a, _mm512_set1_ps(-0.0f)); }
    static AIFABRIK_INLINE Floats round(Floats a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    static AIFABRIK_INLINE Floats times_power_of_2(Floats a, Floats n) { return _mm512_scalef_ps(a, n); }
    static AIFABRIK_INLINE Floats exp(Floats x) { return exp_polynomial<Avx512>(x); }

    static AIFABRIK_INLINE void prefetch(const uint8_t* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }

    static AIFABRIK_INLINE void quantise_block(const float* x, ActBlock& block) {
        const __m512 x0 = _mm512_loadu_ps(x), x1 = _mm512_loadu_ps(x + 16);
        const float largest = _mm512_reduce_max_ps(_mm512_max_ps(_mm512_abs_ps(x0), _mm512_abs_ps(x1)));
        const __m512 inverse = _mm512_set1_ps(largest < kActZeroBelow ? 0.0f : 127.0f / largest);
        const __m512i q0 = _mm512_cvtps_epi32(_mm512_mul_ps(x0, inverse)), q1 = _mm512_cvtps_epi32(_mm512_mul_ps(x1, inverse));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(block.q), _mm512_cvtepi32_epi8(q0));
        _mm_storeu_si128(reinterpret_cast<__m128i*>(block.q + 16), _mm512_cvtepi32_epi8(q1));
        finish_act_block(block, largest < kActZeroBelow ? 0.0f : largest / 127.0f, _mm512_reduce_add_epi32(q0), _mm512_reduce_add_epi32(q1));
    }
};

}  // namespace
}  // namespace aifabrik
