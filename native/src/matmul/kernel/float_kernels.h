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

template <class V, WeightType T> struct FloatGroup {
    using Column = float;

    template <int N> __attribute__((noinline)) static void run(const uint8_t* group, int cols, const float* const* x, float* out) {
        // One sum per row and column, whatever the number of columns: a token's product must be the same bits alone and in
        // a batch.
        constexpr int turns = 1;
        constexpr int line_cols = kLineCols<T>;
        typename V::Floats sum[turns][kParts<V>][N];
        const float* column[N];
        AIFABRIK_UNROLL for (int c = 0; c < N; c++) {
            column[c] = x[c];
            AIFABRIK_UNROLL for (int u = 0; u < turns; u++) {
                AIFABRIK_UNROLL for (int p = 0; p < kParts<V>; p++) sum[u][p][c] = V::all(0.0f);
            }
        }
        const int lines = (cols + line_cols - 1) / line_cols;
        int i = 0;
        for (; i + turns <= lines; i += turns) {
            AIFABRIK_UNROLL for (int u = 0; u < turns; u++) add_line<N>(group + static_cast<size_t>(i + u) * kLine, column, (i + u) * line_cols, sum[u]);
        }
        for (; i < lines; i++) add_line<N>(group + static_cast<size_t>(i) * kLine, column, i * line_cols, sum[0]);
        AIFABRIK_UNROLL for (int c = 0; c < N; c++) {
            AIFABRIK_UNROLL for (int p = 0; p < kParts<V>; p++) {
                auto total = sum[0][p][c];
                AIFABRIK_UNROLL for (int u = 1; u < turns; u++) total = V::add(total, sum[u][p][c]);
                V::store_floats(out + c * kGroupRows + p * V::rows, total);
            }
        }
    }

private:
    template <int N> AIFABRIK_INLINE static void add_line(const uint8_t* line, const float* const (&x)[N], int k, typename V::Floats (&sum)[kParts<V>][N]) {
        V::prefetch(line + kPrefetchBytes);
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
