// Row kernels: RMSNorm, gated activations, soft cap, rotation, the store into the cache, argmax.
#pragma once
#include <cmath>

#include "vector/math.h"

namespace aifabrik {
namespace {

// Applies f to n values in vectors of 16; the tail goes through a padded copy. f: (x of 16 lanes) -> 16 lanes.
template <class S, class F> inline void map_rows(const float* a, const float* b, int n, float* out, F f) {
    int i = 0;
    for (; i + 16 <= n; i += 16) S::store(out + i, f(S::load(a + i), S::load(b + i)));
    if (i == n) return;
    alignas(64) float ta[16] = {}, tb[16] = {}, to[16];
    for (int k = 0; k < n - i; k++) { ta[k] = a[i + k]; tb[k] = b[i + k]; }
    S::store(to, f(S::load(ta), S::load(tb)));
    for (int k = 0; k < n - i; k++) out[i + k] = to[k];
}

template <class S> void rms_norm(const float* x, const float* weight, float eps, int n, bool accumulate, float* out) {
    using V = typename S::V;
    V s0 = S::zero(), s1 = S::zero();
    int i = 0;
    for (; i + 32 <= n; i += 32) {
        const V a = S::load(x + i), b = S::load(x + i + 16);
        s0 = S::fma(a, a, s0);
        s1 = S::fma(b, b, s1);
    }
    float squares = S::sum(S::add(s0, s1));
    for (; i < n; i++) squares += x[i] * x[i];
    const float r = 1.0f / std::sqrt(squares / static_cast<float>(n) + eps);
    const V scale = S::set(r);
    for (i = 0; i + 16 <= n; i += 16) {
        V y = S::mul(S::mul(S::load(x + i), scale), S::load(weight + i));
        if (accumulate) y = S::add(y, S::load(out + i));
        S::store(out + i, y);
    }
    for (; i < n; i++) {
        const float y = x[i] * r * weight[i];
        out[i] = accumulate ? out[i] + y : y;
    }
}

template <class S> inline typename S::V sigmoid(typename S::V x) {
    return S::div(S::set(1.0f), S::add(S::set(1.0f), exp_of<S>(S::sub(S::zero(), x))));
}

// gelu(x) = x/2 (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
template <class S> inline typename S::V gelu_tanh(typename S::V x) {
    const auto inner = S::mul(S::set(0.7978845608f), S::fma(S::mul(S::set(0.044715f), S::mul(x, x)), x, x));
    return S::mul(S::mul(S::set(0.5f), x), S::add(S::set(1.0f), tanh_of<S>(inner)));
}

template <class S> void act_mul(int activation, const float* gate, const float* up, int n, float* out) {
    using V = typename S::V;
    switch (activation) {
    case 1:
        map_rows<S>(gate, up, n, out, [](V g, V u) { return S::mul(S::mul(g, sigmoid<S>(g)), u); });
        break;
    case 2:
        map_rows<S>(gate, up, n, out, [](V g, V u) { return S::mul(gelu_tanh<S>(g), u); });
        break;
    case 3:
        map_rows<S>(gate, up, n, out, [](V g, V u) {
            g = S::min(g, S::set(7.0f));
            u = S::min(S::max(u, S::set(-7.0f)), S::set(7.0f));
            return S::mul(S::add(u, S::set(1.0f)), S::mul(g, sigmoid<S>(S::mul(S::set(1.702f), g))));
        });
        break;
    default:
        map_rows<S>(gate, up, n, out, [](V g, V u) { return S::mul(g, u); });
    }
}

template <class S> void softcap(float* x, int n, float cap) {
    using V = typename S::V;
    const float inverse = 1.0f / cap;
    map_rows<S>(x, x, n, x, [=](V a, V) { return S::mul(S::set(cap), tanh_of<S>(S::mul(a, S::set(inverse)))); });
}

// Half split: (x[i], x[i + d/2]); interleaved: (x[2i], x[2i + 1]). Loops that the compiler turns into vectors.
template <class S> void rope(float* head, const float* cos, const float* sin, int rotary_dim, int style) {
    const int half = rotary_dim / 2;
    if (style == 0) {
        float* low = head;
        float* high = head + half;
        for (int i = 0; i < half; i++) {
            const float a = low[i], b = high[i];
            low[i] = a * cos[i] - b * sin[i];
            high[i] = b * cos[i] + a * sin[i];
        }
    } else {
        for (int i = 0; i < half; i++) {
            const float a = head[2 * i], b = head[2 * i + 1];
            head[2 * i] = a * cos[i] - b * sin[i];
            head[2 * i + 1] = b * cos[i] + a * sin[i];
        }
    }
}

template <class S> void store_kv(const float* key, const float* value, int head_dim, int slot, uint16_t* page) {
    uint16_t* values = page + static_cast<size_t>(kPageSlots) * head_dim + static_cast<size_t>(slot) * padded_head_dim(head_dim);
    alignas(64) float padded[16];
    alignas(32) uint16_t halves[16];
    for (int d = 0; d < head_dim; d += 16) {
        const int n = head_dim - d < 16 ? head_dim - d : 16;
        for (int i = 0; i < 16; i++) padded[i] = i < n ? key[d + i] : 0.0f;
        S::store_half(halves, S::load(padded));
        for (int i = 0; i < n; i++) page[static_cast<size_t>(d + i) * kPageSlots + slot] = halves[i];
        for (int i = 0; i < 16; i++) padded[i] = i < n ? value[d + i] : 0.0f;
        S::store_half(values + d, S::load(padded));
    }
}

template <class S> int argmax(const float* x, int n) {
    int best = 0;
    float value = -INFINITY;
    int i = 0;
    for (; i + 16 <= n; i += 16) {
        if (!(S::largest(S::load(x + i)) > value)) continue;
        for (int k = i; k < i + 16; k++) if (x[k] > value) { value = x[k]; best = k; }
    }
    for (; i < n; i++) if (x[i] > value) { value = x[i]; best = i; }
    return best;
}

}  // namespace
}  // namespace aifabrik
