// A vector of 16 floats as four q registers (ARMv8.2 with half-precision conversion).
#pragma once
#include <arm_neon.h>

#include <cstdint>

namespace aifabrik {
namespace {

struct Neon {
    struct V { float32x4_t p[4]; };
    static constexpr const char* kName = "neon";
    static constexpr int kTileRows = 6;
    static constexpr int kAccumulators = 6;

    template <class F> static V each(F f) { return {{f(0), f(1), f(2), f(3)}}; }
    static V zero() { return set(0.0f); }
    static V set(float x) { return each([&](int) { return vdupq_n_f32(x); }); }
    static V load(const float* p) { return each([&](int i) { return vld1q_f32(p + 4 * i); }); }
    static void store(float* p, V a) { for (int i = 0; i < 4; i++) vst1q_f32(p + 4 * i, a.p[i]); }
    static V load_half(const uint16_t* p) {
        return each([&](int i) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p + 4 * i))); });
    }
    static void store_half(uint16_t* p, V a) {
        for (int i = 0; i < 4; i++) vst1_u16(p + 4 * i, vreinterpret_u16_f16(vcvt_f16_f32(a.p[i])));
    }
    static V add(V a, V b) { return each([&](int i) { return vaddq_f32(a.p[i], b.p[i]); }); }
    static V sub(V a, V b) { return each([&](int i) { return vsubq_f32(a.p[i], b.p[i]); }); }
    static V mul(V a, V b) { return each([&](int i) { return vmulq_f32(a.p[i], b.p[i]); }); }
    static V div(V a, V b) { return each([&](int i) { return vdivq_f32(a.p[i], b.p[i]); }); }
    static V fma(V a, V b, V c) { return each([&](int i) { return vfmaq_f32(c.p[i], a.p[i], b.p[i]); }); }
    static V max(V a, V b) { return each([&](int i) { return vmaxq_f32(a.p[i], b.p[i]); }); }
    static V min(V a, V b) { return each([&](int i) { return vminq_f32(a.p[i], b.p[i]); }); }
    static V round(V a) { return each([&](int i) { return vrndnq_f32(a.p[i]); }); }
    static V scale(V a, V n) {
        return each([&](int i) {
            const int32x4_t bits = vshlq_n_s32(vaddq_s32(vcvtq_s32_f32(n.p[i]), vdupq_n_s32(127)), 23);
            return vmulq_f32(a.p[i], vreinterpretq_f32_s32(bits));
        });
    }
    static float sum(V a) { return vaddvq_f32(vaddq_f32(vaddq_f32(a.p[0], a.p[1]), vaddq_f32(a.p[2], a.p[3]))); }
    static float largest(V a) { return vmaxvq_f32(vmaxq_f32(vmaxq_f32(a.p[0], a.p[1]), vmaxq_f32(a.p[2], a.p[3]))); }
    static V choose(V a, V b, int first, int last) {
        const int32_t numbers[4] = {0, 1, 2, 3};
        return each([&](int i) {
            const int32x4_t lane = vaddq_s32(vld1q_s32(numbers), vdupq_n_s32(4 * i));
            const uint32x4_t from = vcgeq_s32(lane, vdupq_n_s32(first)), to = vcltq_s32(lane, vdupq_n_s32(last));
            return vbslq_f32(vandq_u32(from, to), a.p[i], b.p[i]);
        });
    }
    static void prefetch(const void* p) { __builtin_prefetch(p); }
};

}  // namespace
}  // namespace aifabrik
