// F32, F16 and BF16 weights with float32 columns: exact widening, fused multiply-add.
// Decode binds on memory bandwidth, prefill on float multiply-adds. Register tile: V::float_tile vectors x 6 columns.
#pragma once
#include "gemm.h"

namespace aifabrik {
namespace {

constexpr int kFloatPadCols = 16;   // columns are padded with zeros to this

// A line of packed weights is 64 bytes: 1 column of F32, 2 of F16 (one after the other), 2 of BF16 (in pairs).
template <WeightType T> constexpr int kLineCols = traits_of(T).record_cols;

// Weights of V::rows rows in the kLineCols columns of a line.
template <class V, WeightType T> AIFABRIK_INLINE void widen_line(const uint8_t* line, int part, typename V::Floats (&w)[2]) {
    if constexpr (T == WeightType::F32) {
        w[0] = V::load_floats(reinterpret_cast<const float*>(line) + part * V::rows);
    } else if constexpr (T == WeightType::F16) {
        w[0] = V::half(line + part * V::rows * 2);
        w[1] = V::half(line + 32 + part * V::rows * 2);
    } else {
        V::bfloat_pair(line + part * V::rows * 4, w[0], w[1]);
    }
}

// Groups whose sums are made side by side, so that the next product need not wait for the one before: an element has one
// sum, whatever the number of columns, since a token's product must be the same bits alone and in a batch.
template <class V> constexpr int float_together(int count) {
    const int vectors = (V::rows == 16 ? 16 : 8) / (count * kParts<V>);   // sums that the registers hold
    return vectors >= 2 ? 2 : 1;
}

// Lines of G groups in turn, each added to the groups' sums by Add::line<N>(line, columns, number of the line, sums).
// Requests for memory run ahead into the next G groups, so that no group begins without its weights.
template <class V, class Add, int N, int G> __attribute__((noinline)) void run_groups(const uint8_t* group, size_t group_bytes, const typename Add::Column* const* x, float* out) {
    constexpr int ahead = kPrefetchBytes / kLine / G;
    typename V::Floats sum[G][kParts<V>][N];
    const typename Add::Column* column[N];
    AIFABRIK_UNROLL for (int c = 0; c < N; c++) {
        column[c] = x[c];
        AIFABRIK_UNROLL for (int g = 0; g < G; g++) {
            AIFABRIK_UNROLL for (int p = 0; p < kParts<V>; p++) sum[g][p][c] = V::all(0.0f);
        }
    }
    const int lines = static_cast<int>(group_bytes / kLine);
    for (int i = 0; i < lines; i++, group += kLine) {
        const uint8_t* next = group + ahead * kLine + (i + ahead < lines ? 0 : (G - 1) * group_bytes);
        AIFABRIK_UNROLL for (int g = 0; g < G; g++) {
            V::prefetch(next + g * group_bytes);
            Add::template line<N>(group + g * group_bytes, column, i, sum[g]);
        }
    }
    AIFABRIK_UNROLL for (int g = 0; g < G; g++) {
        AIFABRIK_UNROLL for (int c = 0; c < N; c++) {
            AIFABRIK_UNROLL for (int p = 0; p < kParts<V>; p++) V::store_floats(out + g * kSumsOf<V> + c * kGroupRows + p * V::rows, sum[g][p][c]);
        }
    }
}

// As gemv_all (gemv.h) wants it.
template <class V, class Add> struct GroupsOf {
    using Column = typename Add::Column;
    static constexpr int together(int count) { return float_together<V>(count <= 4 ? count : count <= 8 ? (count + 1) / 2 * 2 : 16); }
    template <int N> static void run(const uint8_t* group, size_t group_bytes, int groups, int, const Column* const* x, float* out) {
        if (groups == 1) run_groups<V, Add, N, 1>(group, group_bytes, x, out);
        else run_groups<V, Add, N, together(N)>(group, group_bytes, x, out);
    }
};

template <class V, WeightType T> struct FloatLine {
    using Column = float;
    template <int N> AIFABRIK_INLINE static void line(const uint8_t* line, const float* const (&x)[N], int i, typename V::Floats (&sum)[kParts<V>][N]) {
        const int k = i * kLineCols<T>;
        AIFABRIK_UNROLL for (int p = 0; p < kParts<V>; p++) {
            typename V::Floats w[2];
            widen_line<V, T>(line, p, w);
            AIFABRIK_UNROLL for (int c = 0; c < N; c++) {
                sum[p][c] = V::fma(w[0], V::all(x[c][k]), sum[p][c]);
                if constexpr (kLineCols<T> == 2) sum[p][c] = V::fma(w[1], V::all(x[c][k + 1]), sum[p][c]);
            }
        }
    }
};

template <class V, WeightType T> using FloatGroup = GroupsOf<V, FloatLine<V, T>>;

// ---- prefill. A tile is [cols][kTileColumns] floats; a panel is [cols][16] floats, F32's packed form as it is.

constexpr int kFloatChunkCols = 512;    // a panel of four groups: 128 KiB
constexpr int kFloatPanelGroups = 4;

template <WeightType T> constexpr int float_padded(int cols) { return (cols + kLineCols<T> - 1) / kLineCols<T> * kLineCols<T>; }

template <class V, WeightType T> struct FloatScheme {
    static constexpr int panel_groups = kFloatPanelGroups;
    static constexpr int chunk_cols = kFloatChunkCols;
    static constexpr bool direct = T == WeightType::F32;
    static constexpr int packed_step = kLineCols<T>;
    static size_t tile_bytes_of(int cols) { return (static_cast<size_t>(float_padded<T>(cols)) * kTileColumns * 4 + 63) / 64 * 64; }
    static size_t panel_bytes(int cols) { return static_cast<size_t>(float_padded<T>(cols)) * kLine; }
    static size_t tile_offset(int col) { return static_cast<size_t>(col) * kTileColumns * 4; }
    static size_t packed_offset(int col) { return static_cast<size_t>(col / kLineCols<T>) * kLine; }

    static void decode(const uint8_t* packed, int cols, uint8_t* panel) {
        for (int k = 0; k < float_padded<T>(cols); k += kLineCols<T>, packed += kLine, panel += kLineCols<T> * kLine) {
            V::prefetch(packed + kPrefetchBytes);
            AIFABRIK_UNROLL for (int p = 0; p < kParts<V>; p++) {
                typename V::Floats w[2];
                widen_line<V, T>(packed, p, w);
                AIFABRIK_UNROLL for (int i = 0; i < kLineCols<T>; i++) V::store_floats(reinterpret_cast<float*>(panel + i * kLine) + p * V::rows, w[i]);
            }
        }
    }

    static void multiply(const uint8_t* panel, size_t group_stride, int groups, const uint8_t* tile, int cols, float* out, int out_ld, bool first) {
        constexpr int R = V::float_tile;
        const int steps = float_padded<T>(cols);
        if constexpr (kParts<V> == 1) {
            int g = 0;
            for (; g + R <= groups; g += R) tile_product<R>(panel + static_cast<size_t>(g) * group_stride, group_stride, tile, steps, out + g * kGroupRows, out_ld, first);
            for (; g < groups; g++) tile_product<1>(panel + static_cast<size_t>(g) * group_stride, group_stride, tile, steps, out + g * kGroupRows, out_ld, first);
        } else {
            for (int g = 0; g < groups; g++) {
                for (int p = 0; p < kParts<V>; p += R) {
                    tile_product<R>(panel + static_cast<size_t>(g) * group_stride + p * V::rows * 4, V::rows * 4, tile, steps, out + g * kGroupRows + p * V::rows, out_ld, first);
                }
            }
        }
    }

private:
    template <int R> __attribute__((noinline)) static void tile_product(const uint8_t* panel, size_t stride, const uint8_t* tile, int steps, float* out, int out_ld, bool first) {
        constexpr int C = kTileColumns;
        typename V::Floats sum[R][C];
        AIFABRIK_UNROLL for (int r = 0; r < R; r++) {
            AIFABRIK_UNROLL for (int c = 0; c < C; c++) sum[r][c] = first ? V::all(0.0f) : V::load_floats(out + c * out_ld + r * V::rows);
        }
        const float* x = reinterpret_cast<const float*>(tile);
        for (int k = 0; k < steps; k++, panel += kLine, x += C) {
            typename V::Floats w[R];
            AIFABRIK_UNROLL for (int r = 0; r < R; r++) w[r] = V::load_floats(reinterpret_cast<const float*>(panel + r * stride));
            AIFABRIK_UNROLL for (int c = 0; c < C; c++) {
                const auto value = V::all(x[c]);
                AIFABRIK_UNROLL for (int r = 0; r < R; r++) sum[r][c] = V::fma(w[r], value, sum[r][c]);
            }
        }
        AIFABRIK_UNROLL for (int r = 0; r < R; r++) {
            AIFABRIK_UNROLL for (int c = 0; c < C; c++) V::store_floats(out + c * out_ld + r * V::rows, sum[r][c]);
        }
    }
};

template <class V, WeightType T> void pack_float_tiles(int cols, const ActColumns& x, int tile_begin, int tile_end, uint8_t* dst) {
    const size_t tile_bytes = FloatScheme<V, T>::tile_bytes_of(cols);
    for (int tile = tile_begin; tile < tile_end; tile++) {
        float* out = reinterpret_cast<float*>(dst + static_cast<size_t>(tile) * tile_bytes);
        for (int c = 0; c < kTileColumns; c++) {
            const int at = tile * kTileColumns + c;
            const float* column = at < x.count ? reinterpret_cast<const float*>(x.base + static_cast<size_t>(x.index ? x.index[at] : at) * x.stride) : nullptr;
            for (int k = 0; k < float_padded<T>(cols); k++) out[static_cast<size_t>(k) * kTileColumns + c] = column ? column[k] : 0.0f;
        }
    }
}

}  // namespace
}  // namespace aifabrik
