// AVX2 (with FMA and F16C): a vector holds 8 of the 16 rows of a group.
#pragma once
#include <immintrin.h>
#include "../kernel/act_block.h"
#include "../kernel/exp.h"
#include "../kernel/prepare_act.h"

namespace aifabrik {
namespace {

struct Avx2 {
    static constexpr int rows = 8;
    static constexpr bool signed_bytes = true;   // 8-bit codes: see Dot
    static constexpr int gemv_columns = 4;       // 16 registers
    static constexpr int int8_tile = 1;
    static constexpr int float_tile = 2;

    using Codes = __m256i;
    using Floats = __m256;

    static AIFABRIK_INLINE Codes load(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
    static AIFABRIK_INLINE void store(uint8_t* p, Codes x) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), x); }
    static AIFABRIK_INLINE Codes masked(Codes x, int mask) { return _mm256_and_si256(x, _mm256_set1_epi8(static_cast<char>(mask))); }
    // Bytes shifted left by S (right by -S); bits that cross from one byte to the next must be outside of the mask.
    template <int S> static AIFABRIK_INLINE Codes shifted(Codes x, int mask) {
        if constexpr (S > 0) return masked(_mm256_slli_epi16(x, S), mask);
        else if constexpr (S < 0) return masked(_mm256_srli_epi16(x, -S), mask);
        else return masked(x, mask);
    }
    template <int S> static AIFABRIK_INLINE Codes merged(Codes code, Codes x, int mask) { return _mm256_or_si256(code, shifted<S>(x, mask)); }
    static AIFABRIK_INLINE Codes flip_top_bit(Codes x) { return _mm256_xor_si256(x, _mm256_set1_epi8(-128)); }
    static AIFABRIK_INLINE Codes table(const int8_t* values, int offset) {
        const __m128i signed_values = _mm_loadu_si128(reinterpret_cast<const __m128i*>(values));
        return _mm256_broadcastsi128_si256(_mm_add_epi8(signed_values, _mm_set1_epi8(static_cast<char>(offset))));
    }
    static AIFABRIK_INLINE Codes lookup(Codes values, Codes index) { return _mm256_shuffle_epi8(values, index); }

    using Quad = __m256i;
    static AIFABRIK_INLINE Quad quad(const int8_t* p) {
        int value;
        __builtin_memcpy(&value, p, 4);
        return _mm256_set1_epi32(value);
    }

    // vpmaddubsw adds two products into 16 bits and saturates: codes to 255 would overflow there, so 8-bit codes are
    // taken as signed values w and multiplied as |w| by sign(w) x (at most 2 * 128 * 127 = 32,512). Small codes leave
    // room for several of these sums before they are widened: 2 * 127 * code_max * `run` must stay below 32,768.
    template <int CodeMax> struct Dot {
        static constexpr int run = CodeMax <= 15 ? 8 : CodeMax <= 31 ? 4 : CodeMax <= 63 ? 2 : 1;
        __m256i sum;
        __m256i narrow;
        AIFABRIK_INLINE void start(int32_t value) { sum = _mm256_set1_epi32(value); }
        // j: which quad, from 0 on.
        AIFABRIK_INLINE void add(Codes w, Quad x, int j) {
            if constexpr (CodeMax == 255) {
                narrow = _mm256_maddubs_epi16(_mm256_abs_epi8(w), _mm256_sign_epi8(x, w));
            } else {
                const __m256i products = _mm256_maddubs_epi16(w, x);
                narrow = j % run == 0 ? products : _mm256_add_epi16(narrow, products);
            }
            if (j % run == run - 1) widen();
        }
        AIFABRIK_INLINE Floats end(int quads) {
            if (quads % run != 0) widen();
            return _mm256_cvtepi32_ps(sum);
        }
        AIFABRIK_INLINE void widen() { sum = _mm256_add_epi32(sum, _mm256_madd_epi16(narrow, _mm256_set1_epi16(1))); }
    };

    static AIFABRIK_INLINE __m128i eight_bytes(const uint8_t* p) { return _mm_loadl_epi64(reinterpret_cast<const __m128i*>(p)); }
    static AIFABRIK_INLINE Floats half(const uint8_t* p) { return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))); }
    static AIFABRIK_INLINE Floats signed_bytes_at(const uint8_t* p) { return _mm256_cvtepi32_ps(_mm256_cvtepi8_epi32(eight_bytes(p))); }
    static AIFABRIK_INLINE void nibbles_at(const uint8_t* p, Floats& low, Floats& high) {
        const __m256i x = _mm256_cvtepu8_epi32(eight_bytes(p));
        low = _mm256_cvtepi32_ps(_mm256_and_si256(x, _mm256_set1_epi32(15)));
        high = _mm256_cvtepi32_ps(_mm256_srli_epi32(x, 4));
    }
    // Byte `index` of each lane, minus `bias`.
    static AIFABRIK_INLINE Floats lane_byte(Codes x, int index, int bias) {
        __m256i byte = _mm256_and_si256(_mm256_srl_epi32(x, _mm_cvtsi32_si128(8 * index)), _mm256_set1_epi32(255));
        if (bias != 0) byte = _mm256_sub_epi32(byte, _mm256_set1_epi32(bias));
        return _mm256_cvtepi32_ps(byte);
    }
    // Two bytes for each row become four: low halves of both, then high halves of both.
    static AIFABRIK_INLINE Codes nibbles_of_pairs(const uint8_t* p) {
        const __m256i x = _mm256_cvtepu16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
        const __m256i mask = _mm256_set1_epi32(0x0f0f);
        return _mm256_or_si256(_mm256_and_si256(x, mask), _mm256_slli_epi32(_mm256_and_si256(_mm256_srli_epi32(x, 4), mask), 16));
    }
    // Half of 2^(byte - 127).
    static AIFABRIK_INLINE Floats exponents(const uint8_t* p) {
        const __m256i e = _mm256_cvtepu8_epi32(eight_bytes(p));
        const __m256i normal = _mm256_slli_epi32(_mm256_sub_epi32(e, _mm256_set1_epi32(1)), 23);
        const __m256i tiny = _mm256_sllv_epi32(_mm256_set1_epi32(0x00200000), e);
        return _mm256_castsi256_ps(_mm256_blendv_epi8(normal, tiny, _mm256_cmpgt_epi32(_mm256_set1_epi32(2), e)));
    }
    static AIFABRIK_INLINE void bfloat_pair(const uint8_t* p, Floats& first, Floats& second) {
        const __m256i x = load(p);
        first = _mm256_castsi256_ps(_mm256_slli_epi32(x, 16));
        second = _mm256_castsi256_ps(_mm256_and_si256(x, _mm256_set1_epi32(static_cast<int>(0xffff0000))));
    }

    static AIFABRIK_INLINE Floats load_floats(const float* p) { return _mm256_loadu_ps(p); }
    static AIFABRIK_INLINE void store_floats(float* p, Floats x) { _mm256_storeu_ps(p, x); }
    static AIFABRIK_INLINE Floats all(float x) { return _mm256_set1_ps(x); }
    static AIFABRIK_INLINE Floats add(Floats a, Floats b) { return _mm256_add_ps(a, b); }
    static AIFABRIK_INLINE Floats mul(Floats a, Floats b) { return _mm256_mul_ps(a, b); }
    static AIFABRIK_INLINE Floats div(Floats a, Floats b) { return _mm256_div_ps(a, b); }
    static AIFABRIK_INLINE Floats fma(Floats a, Floats b, Floats c) { return _mm256_fmadd_ps(a, b, c); }
    static AIFABRIK_INLINE Floats min(Floats a, Floats b) { return _mm256_min_ps(a, b); }
    static AIFABRIK_INLINE Floats max(Floats a, Floats b) { return _mm256_max_ps(a, b); }
    static AIFABRIK_INLINE Floats negate(Floats a) { return _mm256_xor_ps(a, _mm256_set1_ps(-0.0f)); }
    static AIFABRIK_INLINE Floats round(Floats a) { return _mm256_round_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    static AIFABRIK_INLINE Floats times_power_of_2(Floats a, Floats n) {   // n in -126..127
        const __m256i exponent = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
        return _mm256_mul_ps(a, _mm256_castsi256_ps(_mm256_slli_epi32(exponent, 23)));
    }
    static AIFABRIK_INLINE Floats exp(Floats x) { return exp_polynomial<Avx2>(x); }

    static AIFABRIK_INLINE void prefetch(const uint8_t* p) { _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T0); }

    static AIFABRIK_INLINE float largest_lane(__m256 x) {
        __m128 m = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
        m = _mm_max_ps(m, _mm_movehl_ps(m, m));
        return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
    }
    static AIFABRIK_INLINE int lanes_sum(__m256i x) {
        __m128i s = _mm_add_epi32(_mm256_castsi256_si128(x), _mm256_extracti128_si256(x, 1));
        s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
        return _mm_cvtsi128_si32(_mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1)));
    }
    static AIFABRIK_INLINE void quantise_block(const float* x, ActBlock& block) {
        const __m256 positive = _mm256_castsi256_ps(_mm256_set1_epi32(0x7fffffff));
        __m256 most = _mm256_setzero_ps();
        AIFABRIK_UNROLL for (int i = 0; i < 4; i++) most = _mm256_max_ps(most, _mm256_and_ps(_mm256_loadu_ps(x + 8 * i), positive));
        const float largest = largest_lane(most);
        const __m256 inverse = _mm256_set1_ps(largest < kActZeroBelow ? 0.0f : 127.0f / largest);
        __m256i q[4];
        AIFABRIK_UNROLL for (int i = 0; i < 4; i++) q[i] = _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(x + 8 * i), inverse));
        // Packing works within halves of 128 bits: put the four-byte pieces back in order.
        const __m256i packed = _mm256_packs_epi16(_mm256_packs_epi32(q[0], q[1]), _mm256_packs_epi32(q[2], q[3]));
        store(reinterpret_cast<uint8_t*>(block.q), _mm256_permutevar8x32_epi32(packed, _mm256_setr_epi32(0, 4, 1, 5, 2, 6, 3, 7)));
        finish_act_block(block, largest < kActZeroBelow ? 0.0f : largest / 127.0f, lanes_sum(_mm256_add_epi32(q[0], q[1])), lanes_sum(_mm256_add_epi32(q[2], q[3])));
    }
};

}  // namespace
}  // namespace aifabrik
