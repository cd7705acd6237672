// Sums become results: bias, gated activation, scale, residual. See Epilogue in matmul.h.
#pragma once
#include <cmath>
#include "decode.h"

namespace aifabrik {
namespace {

template <class V> AIFABRIK_INLINE typename V::Floats sigmoid_times(typename V::Floats x, typename V::Floats slope) {   // x * sigmoid(slope * x)
    const auto one = V::all(1.0f);
    return V::div(x, V::add(one, V::exp(V::negate(V::mul(slope, x)))));
}

template <class V> typename V::Floats gelu_erf(typename V::Floats x) {
    alignas(64) float value[V::rows];
    V::store_floats(value, x);
    for (int i = 0; i < V::rows; i++) value[i] = 0.5f * value[i] * (1.0f + erff(value[i] * 0.70710678f));
    return V::load_floats(value);
}

template <class V> AIFABRIK_INLINE typename V::Floats gated_value(GatedActivation kind, typename V::Floats gate, typename V::Floats up) {
    switch (kind) {
        case GatedActivation::Silu: return V::mul(sigmoid_times<V>(gate, V::all(1.0f)), up);
        case GatedActivation::GeluTanh: {
            // 0.5 x (1 + tanh(u)) = x sigmoid(2u), u = sqrt(2/pi) (x + 0.044715 x^3)
            const auto slope = V::fma(V::mul(gate, gate), V::all(0.07135481282f), V::all(1.595769122f));
            return V::mul(sigmoid_times<V>(gate, slope), up);
        }
        case GatedActivation::GptOss: {
            const auto g = V::min(gate, V::all(7.0f));
            const auto u = V::max(V::min(up, V::all(7.0f)), V::all(-7.0f));
            return V::mul(V::add(u, V::all(1.0f)), sigmoid_times<V>(g, V::all(1.702f)));
        }
        case GatedActivation::GeluErf: return V::mul(gelu_erf<V>(gate), up);
        case GatedActivation::Relu: return V::mul(V::max(gate, V::all(0.0f)), up);
        case GatedActivation::None: break;
    }
    return gate;
}

// The 16 rows of one group, `count` columns from `column` on. sums: [count][sums_ld], up the same (null: not gated).
// group: of the result (gated: of gate alone).
template <class V> void finish_group(const MatmulCall& call, int group, int column, int count, const float* sums, const float* up, int sums_ld) {
    const Epilogue& e = call.epilogue;
    const int row = group * kGroupRows;
    const int valid = call.rows - row < kGroupRows ? call.rows - row : kGroupRows;
    alignas(64) float bias[2][kGroupRows] = {};
    if (e.bias) for (int i = 0; i < valid; i++) bias[0][i] = e.bias[row + i];
    if (e.bias_up) for (int i = 0; i < valid; i++) bias[1][i] = e.bias_up[row + i];
    for (int c = 0; c < count; c++) {
        const int at = column + c;
        float* y = call.y + (e.column_index ? e.column_index[at] : at) * call.ldy + row;
        const auto scale = V::all(e.column_scale ? e.scale * e.column_scale[at] : e.scale);
        alignas(64) float tail[kGroupRows];
        float* out = valid == kGroupRows ? y : tail;
        if (out == tail && e.accumulate) for (int i = 0; i < valid; i++) tail[i] = y[i];
        if (out == tail) for (int i = e.accumulate ? valid : 0; i < kGroupRows; i++) tail[i] = 0.0f;
        AIFABRIK_UNROLL for (int p = 0; p < kParts<V>; p++) {
            auto value = V::add(V::load_floats(sums + c * sums_ld + p * V::rows), V::load_floats(bias[0] + p * V::rows));
            if (up) value = gated_value<V>(e.gated, value, V::add(V::load_floats(up + c * sums_ld + p * V::rows), V::load_floats(bias[1] + p * V::rows)));
            value = V::mul(value, scale);
            if (e.accumulate) value = V::add(value, V::load_floats(out + p * V::rows));
            V::store_floats(out + p * V::rows, value);
        }
        if (out == tail) for (int i = 0; i < valid; i++) y[i] = tail[i];
    }
}

}  // namespace
}  // namespace aifabrik
