// Prefill, quantised weights: y[c][row] = sum_k W[row][k] x[c][k] for many columns.
//
// Weights of two groups x kChunkCols columns are decoded once into a panel of plain codes and float32 scales (second
// level cache), and multiplied with every tile of kTileColumns columns (first level cache). A register tile is
// V::int8_tile vectors of rows x kTileColumns columns. Binds on int8 products and on the scaling after each 32
// columns (about a quarter of the time). Measured shares: ../README.md.
#pragma once
#include "gemv.h"

namespace aifabrik {
namespace {

constexpr int kTileColumns = 6;
constexpr int kPanelGroups = 2;      // a gated pair is one panel
constexpr int kChunkCols = 2048;     // panel of 74 to 98 KiB

// A block of 32 columns in a panel: 8 lines of codes, then per row: scale, second scale or minimum, minimums.
template <WeightType T> constexpr int kPanelScales = 1 + (has_two_scales(traits_of(T).mode) ? 1 : 0) + (traits_of(T).mode == ScaleMode::OneMin ? 1 : 0) + (traits_of(T).mode == ScaleMode::TwoMin ? 2 : 0);
template <WeightType T> constexpr int kPanelBlock = (8 + kPanelScales<T>) * kLine;
constexpr int kPanelScaleAt = 8 * kLine;
constexpr int kPanelSecondAt = 9 * kLine;   // second scale, or minimum where there is one scale
constexpr int kPanelMinAt = 10 * kLine;     // both minimums of TwoMin

// A block of 32 columns in a tile: [8 quads][kTileColumns][4] int8, kTileColumns scales, then by mode: starts; scaled
// sums; starts of both halves; scaled sums of both halves.
template <WeightType T> constexpr int kTileExtras = has_two_scales(traits_of(T).mode) ? 2 : 1;
template <WeightType T> constexpr int kTileBlock = (8 + 1 + kTileExtras<T>) * kTileColumns * 4;

template <WeightType T> constexpr int padded_blocks(int cols) {
    constexpr int record_cols = traits_of(T).record_cols;
    return (cols + record_cols - 1) / record_cols * (record_cols / 32);
}

template <WeightType T> size_t tile_bytes(int cols) { return (static_cast<size_t>(padded_blocks<T>(cols)) * kTileBlock<T> + 63) / 64 * 64; }

template <class V, WeightType T> void pack_tile_column(const ActBlock* x, int blocks, int c, uint8_t* tile) {
    constexpr WeightTraits t = traits_of(T);
    for (int b = 0; b < blocks; b++, x++, tile += kTileBlock<T>) {
        uint32_t* quads = reinterpret_cast<uint32_t*>(tile) + c;
        AIFABRIK_UNROLL for (int j = 0; j < 8; j++) __builtin_memcpy(quads + j * kTileColumns, x->q + 4 * j, 4);
        float* floats = reinterpret_cast<float*>(tile) + 8 * kTileColumns + c;
        int32_t* ints = reinterpret_cast<int32_t*>(tile) + 8 * kTileColumns + c;
        floats[0] = x->scale;
        if constexpr (t.mode == ScaleMode::One) {
            ints[kTileColumns] = kSignedCodes<V, T> ? 0 : start_of<T>(*x);
        } else if constexpr (t.mode == ScaleMode::OneMin) {
            floats[kTileColumns] = x->scaled_sum;
        } else if constexpr (t.mode == ScaleMode::Two) {
            ints[kTileColumns] = -t.offset * x->sum_low;
            ints[2 * kTileColumns] = -t.offset * x->sum_high;
        } else {
            floats[kTileColumns] = x->scale * static_cast<float>(x->sum_low);
            floats[2 * kTileColumns] = x->scale * static_cast<float>(x->sum_high);
        }
    }
}

template <class V, WeightType T> void pack_tiles(int cols, const ActColumns& x, int tile_begin, int tile_end, uint8_t* dst) {
    const int blocks = padded_blocks<T>(cols);
    for (int tile = tile_begin; tile < tile_end; tile++) {
        uint8_t* out = dst + static_cast<size_t>(tile) * tile_bytes<T>(cols);
        // Places without a column count as zero.
        if (x.count - tile * kTileColumns < kTileColumns) __builtin_memset(out, 0, tile_bytes<T>(cols));
        for (int c = 0; c < kTileColumns && tile * kTileColumns + c < x.count; c++) {
            const int at = tile * kTileColumns + c;
            pack_tile_column<V, T>(reinterpret_cast<const ActBlock*>(x.base + static_cast<size_t>(x.index ? x.index[at] : at) * x.stride), blocks, c, out);
        }
    }
}

// Decodes `records` records of one group. panel [records][blocks of the record][kPanelBlock].
template <class V, WeightType T> void make_panel(const uint8_t* record, int records, uint8_t* panel) {
    constexpr WeightTraits t = traits_of(T);
    constexpr int blocks = t.record_cols / 32;
    constexpr int lines = (t.record_bytes / kLine + blocks - 1) / blocks;
    for (int r = 0; r < records; r++, record += t.record_bytes, panel += blocks * kPanelBlock<T>) {
        AIFABRIK_UNROLL for (int p = 0; p < kParts<V>; p++) {
            SuperBlock<V> super;
            open_record<V, T>(record, p, super);
            uint8_t* out = panel + p * V::rows * 4;
            for (int b = 0; b < blocks; b++, out += kPanelBlock<T>) {
                Block<V> w;
                decode_block<V, T>(record, p, b, super, w);
                if (p == 0) {
                    AIFABRIK_UNROLL for (int i = 0; i < lines; i++) V::prefetch(record + kPrefetchBytes + (b * lines + i) * kLine);
                }
                AIFABRIK_UNROLL for (int j = 0; j < 8; j++) V::store(out + j * kLine, w.code[j]);
                V::store_floats(reinterpret_cast<float*>(out + kPanelScaleAt), w.scale[0]);
                if constexpr (has_two_scales(t.mode)) V::store_floats(reinterpret_cast<float*>(out + kPanelSecondAt), w.scale[1]);
                else if constexpr (has_min(t.mode)) V::store_floats(reinterpret_cast<float*>(out + kPanelSecondAt), w.min[0]);
                if constexpr (t.mode == ScaleMode::TwoMin) {
                    V::store_floats(reinterpret_cast<float*>(out + kPanelMinAt), w.min[0]);
                    V::store_floats(reinterpret_cast<float*>(out + kPanelMinAt + kLine), w.min[1]);
                }
            }
        }
    }
}

// The register tile: R vectors of rows (panel_stride bytes apart) x kTileColumns columns over `blocks` blocks.
// out [kTileColumns][out_ld]; vectors V::rows floats apart (R > 1 with whole groups: 16). first: starts at zero.
template <class V, WeightType T, int R> __attribute__((noinline)) void multiply_tile(const uint8_t* panel, size_t panel_stride, const uint8_t* tile, int blocks, float* out, int out_ld, bool first) {
    constexpr WeightTraits t = traits_of(T);
    constexpr int C = kTileColumns;
    constexpr int halves = has_two_scales(t.mode) ? 2 : 1;
    constexpr int quads = 8 / halves;
    using Dot = typename V::template Dot<t.code_max>;
    typename V::Floats sum[R][C];
    AIFABRIK_UNROLL for (int r = 0; r < R; r++) {
        AIFABRIK_UNROLL for (int c = 0; c < C; c++) sum[r][c] = first ? V::all(0.0f) : V::load_floats(out + c * out_ld + r * V::rows);
    }
    for (int b = 0; b < blocks; b++, panel += kPanelBlock<T>, tile += kTileBlock<T>) {
        const int8_t* q = reinterpret_cast<const int8_t*>(tile);
        const float* scale = reinterpret_cast<const float*>(tile) + 8 * C;
        const float* extra_floats = scale + C;
        const int32_t* extra_ints = reinterpret_cast<const int32_t*>(tile) + 9 * C;
        AIFABRIK_UNROLL for (int h = 0; h < halves; h++) {
            Dot dot[R][C];
            AIFABRIK_UNROLL for (int c = 0; c < C; c++) {
                AIFABRIK_UNROLL for (int r = 0; r < R; r++) {
                    if constexpr (has_min(t.mode)) dot[r][c].start(0);
                    else dot[r][c].start(extra_ints[h * C + c]);
                }
            }
            AIFABRIK_UNROLL for (int j = 0; j < quads; j++) {
                typename V::Codes w[R];
                AIFABRIK_UNROLL for (int r = 0; r < R; r++) w[r] = V::load(panel + r * panel_stride + (h * quads + j) * kLine);
                AIFABRIK_UNROLL for (int c = 0; c < C; c++) {
                    const auto x = V::quad(q + ((h * quads + j) * C + c) * 4);
                    AIFABRIK_UNROLL for (int r = 0; r < R; r++) dot[r][c].add(w[r], x, j);
                }
            }
            AIFABRIK_UNROLL for (int r = 0; r < R; r++) {
                const float* scales = reinterpret_cast<const float*>(panel + r * panel_stride + kPanelScaleAt);
                const auto row_scale = V::load_floats(scales + h * 16);
                AIFABRIK_UNROLL for (int c = 0; c < C; c++) sum[r][c] = V::fma(dot[r][c].end(quads), V::mul(row_scale, V::all(scale[c])), sum[r][c]);
                if constexpr (has_min(t.mode)) {
                    const auto row_min = V::load_floats(scales + (halves + h) * 16);
                    AIFABRIK_UNROLL for (int c = 0; c < C; c++) sum[r][c] = V::fma(row_min, V::all(extra_floats[h * C + c]), sum[r][c]);
                }
            }
        }
    }
    AIFABRIK_UNROLL for (int r = 0; r < R; r++) {
        AIFABRIK_UNROLL for (int c = 0; c < C; c++) V::store_floats(out + c * out_ld + r * V::rows, sum[r][c]);
    }
}

// What gemm_all (below) needs to know of int8 products.
template <class V, WeightType T> struct QuantisedScheme {
    static constexpr int panel_groups = kPanelGroups;
    static constexpr int chunk_cols = kChunkCols;
    static constexpr bool direct = false;             // panels are decoded
    static constexpr int packed_step = traits_of(T).record_cols;
    static size_t tile_bytes_of(int cols) { return tile_bytes<T>(cols); }
    static size_t panel_bytes(int cols) { return static_cast<size_t>(padded_blocks<T>(cols)) * kPanelBlock<T>; }
    static size_t tile_offset(int col) { return static_cast<size_t>(col / 32) * kTileBlock<T>; }
    static size_t packed_offset(int col) { return static_cast<size_t>(col / traits_of(T).record_cols) * static_cast<size_t>(traits_of(T).record_bytes); }
    static void decode(const uint8_t* packed, int cols, uint8_t* panel) {
        make_panel<V, T>(packed, padded_blocks<T>(cols) / (traits_of(T).record_cols / 32), panel);
    }
    // All rows of `groups` groups x one tile.
    static void multiply(const uint8_t* panel, size_t group_stride, int groups, const uint8_t* tile, int cols, float* out, int out_ld, bool first) {
        constexpr int R = V::int8_tile;
        const int blocks = padded_blocks<T>(cols);
        if constexpr (kParts<V> == 1) {
            int g = 0;
            for (; g + R <= groups; g += R) multiply_tile<V, T, R>(panel + static_cast<size_t>(g) * group_stride, group_stride, tile, blocks, out + g * kGroupRows, out_ld, first);
            for (; g < groups; g++) multiply_tile<V, T, 1>(panel + static_cast<size_t>(g) * group_stride, group_stride, tile, blocks, out + g * kGroupRows, out_ld, first);
        } else {
            for (int g = 0; g < groups; g++) {
                for (int p = 0; p < kParts<V>; p += R) {
                    multiply_tile<V, T, R>(panel + static_cast<size_t>(g) * group_stride + p * V::rows * 4, V::rows * 4, tile, blocks, out + g * kGroupRows + p * V::rows, out_ld, first);
                }
            }
        }
    }
};

template <class Scheme> constexpr int kPanelRows = Scheme::panel_groups * kGroupRows;
template <class Scheme> constexpr size_t kTileSums = static_cast<size_t>(kPanelRows<Scheme>) * kTileColumns;   // floats

// A panel, and where there are several chunks the sums of every tile in between.
template <class Scheme> size_t gemm_scratch_bytes(int cols, int count) {
    const int chunk = cols < Scheme::chunk_cols ? cols : Scheme::chunk_cols;
    const size_t panel = Scheme::direct ? 0 : Scheme::panel_groups * Scheme::panel_bytes(chunk);
    const size_t tiles = cols <= Scheme::chunk_cols ? 1 : static_cast<size_t>((count + kTileColumns - 1) / kTileColumns);
    return panel + tiles * kTileSums<Scheme> * sizeof(float);
}

template <class V, class Scheme> void gemm_all(const MatmulCall& call, const uint8_t* tiles, int count, int group_begin, int group_end, uint8_t* scratch) {
    const bool gated = call.epilogue.gated != GatedActivation::None;
    const bool chunked = call.cols > Scheme::chunk_cols;
    const int chunk_cols = chunked ? Scheme::chunk_cols : call.cols;
    const size_t group_bytes = Scheme::packed_offset(call.cols + Scheme::packed_step - 1);
    const size_t tile_bytes = Scheme::tile_bytes_of(call.cols);
    const size_t panel_stride = Scheme::direct ? group_bytes : Scheme::panel_bytes(chunk_cols);
    const int tile_total = (count + kTileColumns - 1) / kTileColumns;
    float* sums = reinterpret_cast<float*>(scratch + (Scheme::direct ? 0 : Scheme::panel_groups * panel_stride));
    for (int g = group_begin; g < group_end; g += Scheme::panel_groups) {
        const int groups = group_end - g < Scheme::panel_groups ? group_end - g : Scheme::panel_groups;
        const uint8_t* packed = call.packed + static_cast<size_t>(g) * group_bytes;
        for (int k = 0; k < call.cols; k += chunk_cols) {
            const int cols = call.cols - k < chunk_cols ? call.cols - k : chunk_cols;
            const uint8_t* panel = packed + Scheme::packed_offset(k);
            if constexpr (!Scheme::direct) {
                for (int i = 0; i < groups; i++) Scheme::decode(panel + static_cast<size_t>(i) * group_bytes, cols, scratch + static_cast<size_t>(i) * panel_stride);
                panel = scratch;
            }
            for (int tile = 0; tile < tile_total; tile++) {
                float* out = sums + (chunked ? static_cast<size_t>(tile) * kTileSums<Scheme> : 0);
                Scheme::multiply(panel, panel_stride, groups, tiles + static_cast<size_t>(tile) * tile_bytes + Scheme::tile_offset(k), cols, out, kPanelRows<Scheme>, k == 0);
                if (k + cols < call.cols) continue;
                const int columns = count - tile * kTileColumns < kTileColumns ? count - tile * kTileColumns : kTileColumns;
                for (int i = 0; i < groups; i += gated ? 2 : 1) {
                    const float* gate = out + i * kGroupRows;
                    finish_group<V>(call, gated ? (g + i) / 2 : g + i, tile * kTileColumns, columns, gate, gated ? gate + kGroupRows : nullptr, kPanelRows<Scheme>);
                }
            }
        }
    }
}

}  // namespace
}  // namespace aifabrik
