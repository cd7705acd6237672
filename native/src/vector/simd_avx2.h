// A vector of 16 floats as two ymm registers (AVX2, FMA, F16C).
#pragma once
#include <immintrin.h>

#include <cstdint>

namespace aifabrik {
namespace {

struct Avx2 {
    struct V { __m256 lo, hi; };
    static constexpr const char* kName = "avx2";
    static constexpr int kTileRows = 4;
    static constexpr int kAccumulators = 6;

    static V zero() { return {_mm256_setzero_ps(), _mm256_setzero_ps()}; }
    static V set(float x) { return {_mm256_set1_ps(x), _mm256_set1_ps(x)}; }
    static V load(const float* p) { return {_mm256_loadu_ps(p), _mm256_loadu_ps(p + 8)}; }
    static void store(float* p, V a) { _mm256_storeu_ps(p, a.lo); _mm256_storeu_ps(p + 8, a.hi); }
    static V load_half(const uint16_t* p) {
        const __m128i* q = reinterpret_cast<const __m128i*>(p);
        return {_mm256_cvtph_ps(_mm_loadu_si128(q)), _mm256_cvtph_ps(_mm_loadu_si128(q + 1))};
    }
    static void store_half(uint16_t* p, V a) {
        __m128i* q = reinterpret_cast<__m128i*>(p);
        _mm_storeu_si128(q, _mm256_cvtps_ph(a.lo, 0));
        _mm_storeu_si128(q + 1, _mm256_cvtps_ph(a.hi, 0));
    }
    static V add(V a, V b) { return {_mm256_add_ps(a.lo, b.lo), _mm256_add_ps(a.hi, b.hi)}; }
    static V sub(V a, V b) { return {_mm256_sub_ps(a.lo, b.lo), _mm256_sub_ps(a.hi, b.hi)}; }
    static V mul(V a, V b) { return {_mm256_mul_ps(a.lo, b.lo), _mm256_mul_ps(a.hi, b.hi)}; }
    static V div(V a, V b) { return {_mm256_div_ps(a.lo, b.lo), _mm256_div_ps(a.hi, b.hi)}; }
    static V fma(V a, V b, V c) { return {_mm256_fmadd_ps(a.lo, b.lo, c.lo), _mm256_fmadd_ps(a.hi, b.hi, c.hi)}; }
    static V max(V a, V b) { return {_mm256_max_ps(a.lo, b.lo), _mm256_max_ps(a.hi, b.hi)}; }
    static V min(V a, V b) { return {_mm256_min_ps(a.lo, b.lo), _mm256_min_ps(a.hi, b.hi)}; }
    static V round(V a) {
        constexpr int mode = _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC;
        return {_mm256_round_ps(a.lo, mode), _mm256_round_ps(a.hi, mode)};
    }
    static V scale(V a, V n) { return {_mm256_mul_ps(a.lo, power(n.lo)), _mm256_mul_ps(a.hi, power(n.hi))}; }
    static float sum(V a) {
        const __m256 t = _mm256_add_ps(a.lo, a.hi);
        __m128 s = _mm_add_ps(_mm256_castps256_ps128(t), _mm256_extractf128_ps(t, 1));
        s = _mm_add_ps(s, _mm_movehl_ps(s, s));
        return _mm_cvtss_f32(_mm_add_ss(s, _mm_shuffle_ps(s, s, 1)));
    }
    static float largest(V a) {
        const __m256 t = _mm256_max_ps(a.lo, a.hi);
        __m128 s = _mm_max_ps(_mm256_castps256_ps128(t), _mm256_extractf128_ps(t, 1));
        s = _mm_max_ps(s, _mm_movehl_ps(s, s));
        return _mm_cvtss_f32(_mm_max_ss(s, _mm_shuffle_ps(s, s, 1)));
    }
    static V choose(V a, V b, int first, int last) {
        return {_mm256_blendv_ps(b.lo, a.lo, lanes(first, last)), _mm256_blendv_ps(b.hi, a.hi, lanes(first - 8, last - 8))};
    }
    static void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T0); }

private:
    static __m256 power(__m256 n) {
        const __m256i bits = _mm256_add_epi32(_mm256_cvtps_epi32(n), _mm256_set1_epi32(127));
        return _mm256_castsi256_ps(_mm256_slli_epi32(bits, 23));
    }
    static __m256 lanes(int first, int last) {
        const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
        const __m256i from = _mm256_cmpgt_epi32(lane, _mm256_set1_epi32(first - 1));
        const __m256i to = _mm256_cmpgt_epi32(_mm256_set1_epi32(last), lane);
        return _mm256_castsi256_ps(_mm256_and_si256(from, to));
    }
};

}  // namespace
}  // namespace aifabrik
