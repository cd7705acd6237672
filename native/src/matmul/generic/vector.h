// Plain C++, any processor: a "vector" is an array over the 16 rows of a group. What other instruction sets are tested
// against.
#pragma once
#include <cmath>
#include "../format/small_floats.h"
#include "../kernel/act_block.h"
#include "../kernel/prepare_act.h"

namespace aifabrik {
namespace {

struct Generic {
    static constexpr int rows = 16;
    static constexpr bool signed_bytes = false;
    static constexpr int gemv_columns = 4;
    static constexpr int int8_tile = 1;
    static constexpr int float_tile = 1;

    struct Codes { uint8_t v[64]; };
    struct Floats { float v[16]; };

    template <class F> static AIFABRIK_INLINE Codes each_byte(F f) {
        Codes out;
        for (int i = 0; i < 64; i++) out.v[i] = static_cast<uint8_t>(f(i));
        return out;
    }
    template <class F> static AIFABRIK_INLINE Floats each_row(F f) {
        Floats out;
        for (int i = 0; i < 16; i++) out.v[i] = f(i);
        return out;
    }

    static Codes load(const uint8_t* p) { return each_byte([=](int i) { return p[i]; }); }
    static void store(uint8_t* p, const Codes& x) { for (int i = 0; i < 64; i++) p[i] = x.v[i]; }
    static Codes masked(const Codes& x, int mask) { return each_byte([&](int i) { return x.v[i] & mask; }); }
    template <int S> static Codes shifted(const Codes& x, int mask) {
        if constexpr (S >= 0) return each_byte([&](int i) { return x.v[i] << S & mask; });
        else return each_byte([&](int i) { return x.v[i] >> -S & mask; });
    }
    template <int S> static Codes merged(const Codes& code, const Codes& x, int mask) {
        const Codes part = shifted<S>(x, mask);
        return each_byte([&](int i) { return code.v[i] | part.v[i]; });
    }
    static Codes flip_top_bit(const Codes& x) { return each_byte([&](int i) { return x.v[i] ^ 0x80; }); }
    static Codes table(const int8_t* values, int offset) { return each_byte([=](int i) { return values[i & 15] + offset; }); }
    static Codes lookup(const Codes& values, const Codes& index) { return each_byte([&](int i) { return values.v[index.v[i]]; }); }

    struct Quad { int8_t v[4]; };
    static Quad quad(const int8_t* p) { return {{p[0], p[1], p[2], p[3]}}; }
    template <int CodeMax> struct Dot {
        int32_t sum[16];
        void start(int32_t value) { for (int i = 0; i < 16; i++) sum[i] = value; }
        void add(const Codes& w, Quad x, int) {
            for (int i = 0; i < 16; i++) sum[i] += w.v[4 * i] * x.v[0] + w.v[4 * i + 1] * x.v[1] + w.v[4 * i + 2] * x.v[2] + w.v[4 * i + 3] * x.v[3];
        }
        Floats end(int) const { return each_row([this](int i) { return static_cast<float>(sum[i]); }); }
    };

    static Floats half(const uint8_t* p) {
        return each_row([=](int i) { return half_to_float(static_cast<uint16_t>(p[2 * i] | p[2 * i + 1] << 8)); });
    }
    static Floats signed_bytes_at(const uint8_t* p) { return each_row([=](int i) { return static_cast<float>(static_cast<int8_t>(p[i])); }); }
    static void nibbles_at(const uint8_t* p, Floats& low, Floats& high) {
        low = each_row([=](int i) { return static_cast<float>(p[i] & 15); });
        high = each_row([=](int i) { return static_cast<float>(p[i] >> 4); });
    }
    static Floats lane_byte(const Codes& x, int index, int bias) { return each_row([&, index, bias](int i) { return static_cast<float>(x.v[4 * i + index] - bias); }); }
    static Codes nibbles_of_pairs(const uint8_t* p) {
        return each_byte([=](int i) { return p[i / 4 * 2 + i % 2] >> (i % 4 / 2 * 4) & 15; });
    }
    static Floats exponents(const uint8_t* p) { return each_row([=](int i) { return exponent_to_half_scale(p[i]); }); }
    static void bfloat_pair(const uint8_t* p, Floats& first, Floats& second) {
        first = each_row([=](int i) { return bfloat_to_float(static_cast<uint16_t>(p[4 * i] | p[4 * i + 1] << 8)); });
        second = each_row([=](int i) { return bfloat_to_float(static_cast<uint16_t>(p[4 * i + 2] | p[4 * i + 3] << 8)); });
    }

    static Floats load_floats(const float* p) { return each_row([=](int i) { return p[i]; }); }
    static void store_floats(float* p, const Floats& x) { for (int i = 0; i < 16; i++) p[i] = x.v[i]; }
    static Floats all(float x) { return each_row([=](int) { return x; }); }
    static Floats add(const Floats& a, const Floats& b) { return each_row([&](int i) { return a.v[i] + b.v[i]; }); }
    static Floats mul(const Floats& a, const Floats& b) { return each_row([&](int i) { return a.v[i] * b.v[i]; }); }
    static Floats div(const Floats& a, const Floats& b) { return each_row([&](int i) { return a.v[i] / b.v[i]; }); }
    static Floats fma(const Floats& a, const Floats& b, const Floats& c) { return each_row([&](int i) { return a.v[i] * b.v[i] + c.v[i]; }); }
    static Floats min(const Floats& a, const Floats& b) { return each_row([&](int i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; }); }
    static Floats max(const Floats& a, const Floats& b) { return each_row([&](int i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; }); }
    static Floats negate(const Floats& a) { return each_row([&](int i) { return -a.v[i]; }); }
    static Floats exp(const Floats& a) { return each_row([&](int i) { return expf(a.v[i]); }); }

    static void prefetch(const uint8_t* p) { __builtin_prefetch(p); }

    static void quantise_block(const float* x, ActBlock& block) {
        float largest = 0.0f;
        for (int i = 0; i < 32; i++) largest = fabsf(x[i]) > largest ? fabsf(x[i]) : largest;
        const bool zero = largest < kActZeroBelow;
        const float inverse = zero ? 0.0f : 127.0f / largest;
        int sum[2] = {0, 0};
        for (int i = 0; i < 32; i++) {
            const int q = static_cast<int>(lrintf(x[i] * inverse));
            block.q[i] = static_cast<int8_t>(q);
            sum[i / 16] += block.q[i];
        }
        finish_act_block(block, zero ? 0.0f : largest / 127.0f, sum[0], sum[1]);
    }
};

}  // namespace
}  // namespace aifabrik
