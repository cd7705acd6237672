// Decode, quantised weights: y[c][row] = sum_k W[row][k] x[c][k] for 1..16 columns.
//
// Reads every weight once; binds on memory bandwidth up to about 4 columns (4-bit types) or 8 (Q8_0), then on int8
// products. Per block of 32 columns x 16 rows and column: 8 multiply-adds of 64 int8, one conversion, one product of
// scales, one or two float multiply-adds; no sum across lanes. Measured shares: ../README.md.
#pragma once
#include "act_block.h"
#include "decode.h"
#include "epilogue.h"

namespace aifabrik {
namespace {

// How far ahead weights are asked for: 4 KiB leaves memory idle, 16 KiB gains nothing more. It runs past the end of the
// matrix on purpose: weights are laid out in order of use, so that is where the next matrix begins.
constexpr int kPrefetchBytes = 8192;

template <WeightType T> AIFABRIK_INLINE int32_t start_of(const ActBlock& x) {
    constexpr int offset = traits_of(T).offset;
    if constexpr (offset == 128) return x.start_128;
    else if constexpr (offset == 8) return x.start_8;
    else if constexpr (offset == 16) return x.start_16;
    else if constexpr (offset == 12) return x.start_12;
    else return 0;
}

// sum + (block of weights) x (block of one column)
template <class V, WeightType T> AIFABRIK_INLINE typename V::Floats dot_column(const Block<V>& w, const ActBlock& x, typename V::Floats sum) {
    constexpr WeightTraits t = traits_of(T);
    using Dot = typename V::template Dot<t.code_max>;
    if constexpr (has_two_scales(t.mode)) {
        Dot low, high;
        low.start(-t.offset * x.sum_low);
        high.start(-t.offset * x.sum_high);
        AIFABRIK_UNROLL for (int j = 0; j < 4; j++) {
            low.add(w.code[j], V::quad(x.q + 4 * j), j);
            high.add(w.code[4 + j], V::quad(x.q + 16 + 4 * j), j);
        }
        // The order and the roundings of multiply_tile (gemm.h), which has no registers to join the halves first.
        sum = V::fma(low.end(4), V::mul(w.scale[0], V::all(x.scale)), sum);
        if constexpr (t.mode == ScaleMode::TwoMin) sum = V::fma(w.min[0], V::all(x.scale * static_cast<float>(x.sum_low)), sum);
        sum = V::fma(high.end(4), V::mul(w.scale[1], V::all(x.scale)), sum);
        if constexpr (t.mode == ScaleMode::TwoMin) sum = V::fma(w.min[1], V::all(x.scale * static_cast<float>(x.sum_high)), sum);
        return sum;
    } else {
        Dot dot;
        dot.start(kSignedCodes<V, T> ? 0 : start_of<T>(x));
        AIFABRIK_UNROLL for (int j = 0; j < 8; j++) dot.add(w.code[j], V::quad(x.q + 4 * j), j);
        sum = V::fma(dot.end(8), V::mul(w.scale[0], V::all(x.scale)), sum);
        if constexpr (t.mode == ScaleMode::OneMin) sum = V::fma(w.min[0], V::all(x.scaled_sum), sum);
        return sum;
    }
}

// One group of 16 rows x N columns. x [N]; out [N][16].
template <class V, WeightType T, int N> __attribute__((noinline)) void gemv_group(const uint8_t* group, int records, const ActBlock* const* x, float* out) {
    constexpr WeightTraits t = traits_of(T);
    constexpr int blocks = t.record_cols / 32;
    constexpr int lines = (t.record_bytes / kLine + blocks - 1) / blocks;   // to ask for in each block
    typename V::Floats sum[kParts<V>][N];
    const ActBlock* column[N];
    AIFABRIK_UNROLL for (int c = 0; c < N; c++) {
        column[c] = x[c];
        AIFABRIK_UNROLL for (int p = 0; p < kParts<V>; p++) sum[p][c] = V::all(0.0f);
    }
    const uint8_t* record = group;
    for (int r = 0; r < records; r++, record += t.record_bytes) {
        AIFABRIK_UNROLL for (int p = 0; p < kParts<V>; p++) {
            SuperBlock<V> super;
            open_record<V, T>(record, p, super);
            for (int b = 0; b < blocks; b++) {
                Block<V> w;
                decode_block<V, T>(record, p, b, super, w);
                const ActBlock* at[N];
                AIFABRIK_UNROLL for (int c = 0; c < N; c++) {
                    at[c] = column[c] + r * blocks + b;
                    sum[p][c] = dot_column<V, T>(w, *at[c], sum[p][c]);
                    // Requests are spread between the columns: in one burst they wait for each other.
                    if (p == 0) {
                        AIFABRIK_UNROLL for (int i = c * lines / N; i < (c + 1) * lines / N; i++) V::prefetch(record + kPrefetchBytes + (b * lines + i) * kLine);
                    }
                }
            }
        }
    }
    AIFABRIK_UNROLL for (int c = 0; c < N; c++) {
        AIFABRIK_UNROLL for (int p = 0; p < kParts<V>; p++) V::store_floats(out + c * kGroupRows + p * V::rows, sum[p][c]);
    }
}

// Int8 columns with weights of type T, as gemv_all (below) wants it.
template <class V, WeightType T> struct QuantisedGroup {
    using Column = ActBlock;
    static constexpr int together(int) { return 1; }
    template <int N> static void run(const uint8_t* group, size_t, int, int cols, const ActBlock* const* x, float* out) {
        constexpr int record_cols = traits_of(T).record_cols;
        gemv_group<V, T, N>(group, (cols + record_cols - 1) / record_cols, x, out);
    }
};

constexpr int kTogetherMax = 2;   // groups that one call of a Group may take side by side

// Sums of some groups: [groups][columns][16], a group's kSumsOf floats apart.
template <class V> constexpr int kSumsOf = V::gemv_columns * kGroupRows;

// Runs Group for `count` columns, 1..V::gemv_columns, and groups side by side, up to Group::together(count). Numbers
// between the compiled ones take the next larger kernel: x has the last column again in the places behind.
template <class V, class Group> void gemv_columns(int count, const uint8_t* group, size_t group_bytes, int groups, int cols, const typename Group::Column* const* x, float* out) {
    if (count == 1) return Group::template run<1>(group, group_bytes, groups, cols, x, out);
    if (count == 2) return Group::template run<2>(group, group_bytes, groups, cols, x, out);
    if (count == 3) return Group::template run<3>(group, group_bytes, groups, cols, x, out);
    if (count == 4 || V::gemv_columns == 4) return Group::template run<4>(group, group_bytes, groups, cols, x, out);
    if constexpr (V::gemv_columns > 4) {
        if (count <= 6) return Group::template run<6>(group, group_bytes, groups, cols, x, out);
        if (count <= 8) return Group::template run<8>(group, group_bytes, groups, cols, x, out);
        if (count <= 12) return Group::template run<12>(group, group_bytes, groups, cols, x, out);
        return Group::template run<16>(group, group_bytes, groups, cols, x, out);
    }
}

// Groups [group_begin, group_end), all columns; a group's later columns find its weights in the cache.
template <class V, class Group, WeightType T> void gemv_all(const MatmulCall& call, const ActColumns& x, int group_begin, int group_end) {
    constexpr WeightTraits t = traits_of(T);
    const size_t group_bytes = static_cast<size_t>((call.cols + t.record_cols - 1) / t.record_cols) * static_cast<size_t>(t.record_bytes);
    const typename Group::Column* column[kGemvColumnsMax];
    for (int c = 0; c < kGemvColumnsMax; c++) {
        const int at = c < x.count ? c : x.count - 1;
        column[c] = reinterpret_cast<const typename Group::Column*>(x.base + static_cast<size_t>(x.index ? x.index[at] : at) * x.stride);
    }
    const bool gated = call.epilogue.gated != GatedActivation::None;
    const int step = gated ? 2 : 1;
    const int together = x.count <= V::gemv_columns ? Group::together(x.count) : 1;
    alignas(64) float sums[kTogetherMax * kSumsOf<V>];
    for (int g = group_begin; g < group_end;) {
        // Groups for which the columns are done at once: side by side where there are enough of them, else a pair or one.
        const int block = together >= step && group_end - g >= together ? together : step;
        const int joint = block == together ? together : 1;
        for (int c = 0; c < x.count; c += V::gemv_columns) {
            const int count = x.count - c < V::gemv_columns ? x.count - c : V::gemv_columns;
            for (int s = 0; s < block; s += joint) {
                gemv_columns<V, Group>(count, call.packed + static_cast<size_t>(g + s) * group_bytes, group_bytes, joint, call.cols, column + c, sums + s * kSumsOf<V>);
            }
            for (int s = 0; s < block; s += step) finish_group<V>(call, (g + s) / step, c, count, sums + s * kSumsOf<V>, gated ? sums + (s + 1) * kSumsOf<V> : nullptr, kGroupRows);
        }
        g += block;
    }
}

}  // namespace
}  // namespace aifabrik
