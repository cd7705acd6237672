// A vector of 16 floats as one zmm register.
#pragma once
#include <immintrin.h>

#include <cstdint>

namespace aifabrik {
namespace {

struct Avx512 {
    using V = __m512;
    static constexpr const char* kName = "avx512";
    static constexpr int kTileRows = 12;        // query rows of an attention tile
    static constexpr int kAccumulators = 24;    // vectors that fit the registers beside the operands

    static V zero() { return _mm512_setzero_ps(); }
    static V set(float x) { return _mm512_set1_ps(x); }
    static V load(const float* p) { return _mm512_loadu_ps(p); }
    static void store(float* p, V a) { _mm512_storeu_ps(p, a); }
    static V load_half(const uint16_t* p) { return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))); }
    static void store_half(uint16_t* p, V a) { _mm256_storeu_si256(reinterpret_cast<__m256i*>(p), _mm512_cvtps_ph(a, 0)); }
    static V add(V a, V b) { return _mm512_add_ps(a, b); }
    static V sub(V a, V b) { return _mm512_sub_ps(a, b); }
    static V mul(V a, V b) { return _mm512_mul_ps(a, b); }
    static V div(V a, V b) { return _mm512_div_ps(a, b); }
    static V fma(V a, V b, V c) { return _mm512_fmadd_ps(a, b, c); }
    static V max(V a, V b) { return _mm512_max_ps(a, b); }
    static V min(V a, V b) { return _mm512_min_ps(a, b); }
    static V round(V a) { return _mm512_roundscale_ps(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
    // a * 2^n for whole n in -126 .. 127
    static V scale(V a, V n) { return _mm512_scalef_ps(a, n); }
    static float sum(V a) { return _mm512_reduce_add_ps(a); }
    static float largest(V a) { return _mm512_reduce_max_ps(a); }
    // Lanes first .. last - 1 of a, the others of b.
    static V choose(V a, V b, int first, int last) {
        return _mm512_mask_blend_ps(static_cast<__mmask16>(lanes(last) & ~lanes(first)), b, a);
    }
    static void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

private:
    static unsigned lanes(int n) { return n >= 16 ? 0xffffu : n <= 0 ? 0u : (1u << n) - 1; }
};

}  // namespace
}  // namespace aifabrik
