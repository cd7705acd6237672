// A vector of 16 floats in plain C++: the definition that the other instruction sets follow.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstring>

namespace aifabrik {
namespace {

struct Generic {
    struct V { float lane[16]; };
    static constexpr const char* kName = "generic";
    static constexpr int kTileRows = 4;
    static constexpr int kAccumulators = 4;

    template <class F> static V each(F f) {
        V r;
        for (int i = 0; i < 16; i++) r.lane[i] = f(i);
        return r;
    }
    static V zero() { return set(0.0f); }
    static V set(float x) { return each([&](int) { return x; }); }
    static V load(const float* p) { return each([&](int i) { return p[i]; }); }
    static void store(float* p, V a) { for (int i = 0; i < 16; i++) p[i] = a.lane[i]; }
    static V load_half(const uint16_t* p) { return each([&](int i) { return from_half(p[i]); }); }
    static void store_half(uint16_t* p, V a) { for (int i = 0; i < 16; i++) p[i] = to_half(a.lane[i]); }
    static V add(V a, V b) { return each([&](int i) { return a.lane[i] + b.lane[i]; }); }
    static V sub(V a, V b) { return each([&](int i) { return a.lane[i] - b.lane[i]; }); }
    static V mul(V a, V b) { return each([&](int i) { return a.lane[i] * b.lane[i]; }); }
    static V div(V a, V b) { return each([&](int i) { return a.lane[i] / b.lane[i]; }); }
    static V fma(V a, V b, V c) { return each([&](int i) { return a.lane[i] * b.lane[i] + c.lane[i]; }); }
    static V max(V a, V b) { return each([&](int i) { return a.lane[i] > b.lane[i] ? a.lane[i] : b.lane[i]; }); }
    static V min(V a, V b) { return each([&](int i) { return a.lane[i] < b.lane[i] ? a.lane[i] : b.lane[i]; }); }
    static V round(V a) { return each([&](int i) { return std::nearbyint(a.lane[i]); }); }
    static V scale(V a, V n) {
        return each([&](int i) {
            const int32_t bits = (static_cast<int32_t>(n.lane[i]) + 127) << 23;
            float power;
            std::memcpy(&power, &bits, 4);
            return a.lane[i] * power;
        });
    }
    static float sum(V a) {
        for (int half = 8; half; half /= 2)
            for (int i = 0; i < half; i++) a.lane[i] += a.lane[i + half];
        return a.lane[0];
    }
    static float largest(V a) {
        for (int i = 1; i < 16; i++) if (a.lane[i] > a.lane[0]) a.lane[0] = a.lane[i];
        return a.lane[0];
    }
    static V choose(V a, V b, int first, int last) {
        return each([&](int i) { return i >= first && i < last ? a.lane[i] : b.lane[i]; });
    }
    static void prefetch(const void* p) { __builtin_prefetch(p); }

private:
    static float from_half(uint16_t h) {
        const uint32_t sign = static_cast<uint32_t>(h & 0x8000) << 16, rest = h & 0x7fff;
        float value;
        if (rest >= 0x7c00) {
            const uint32_t bits = sign | 0x7f800000 | (rest & 0x3ff) << 13;
            std::memcpy(&value, &bits, 4);
        } else if (rest >= 0x400) {
            const uint32_t bits = sign | ((rest << 13) + 0x38000000);
            std::memcpy(&value, &bits, 4);
        } else {
            value = static_cast<float>(rest) * 0x1p-24f;
            if (sign) value = -value;
        }
        return value;
    }
    // Rounds to nearest, ties to even.
    static uint16_t to_half(float x) {
        uint32_t bits;
        std::memcpy(&bits, &x, 4);
        const uint16_t sign = static_cast<uint16_t>(bits >> 16 & 0x8000);
        bits &= 0x7fffffff;
        if (bits > 0x7f800000) return sign | 0x7e00;
        if (bits >= 0x477ff000) return sign | 0x7c00;
        if (bits < 0x38800000) {
            float magnitude;
            std::memcpy(&magnitude, &bits, 4);
            return sign | static_cast<uint16_t>(std::nearbyint(magnitude * 0x1p24f));
        }
        bits += 0xfff + (bits >> 13 & 1);
        return sign | static_cast<uint16_t>((bits - 0x38000000) >> 13);
    }
};

}  // namespace
}  // namespace aifabrik
