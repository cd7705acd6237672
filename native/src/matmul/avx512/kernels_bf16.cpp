// BF16 weights with AVX512_BF16: columns are rounded to bfloat16 once and pairs multiplied with vdpbf16ps, float32 sums,
// twice the speed of float32. Decode does the same, so that a token is the same bits alone and in a prompt.
#include "../kernel/isa_tables.h"
#include "../kernel/table.h"
#include "vector.h"

namespace aifabrik {
namespace {

constexpr int kPairChunkCols = 1024;   // four groups: 128 KiB of weights

// Panels are the packed weights themselves: [pair][16 rows][2]. A tile is [pair][kTileColumns][2].
struct BfloatScheme {
    static constexpr int panel_groups = kFloatPanelGroups;
    static constexpr int chunk_cols = kPairChunkCols;
    static constexpr bool direct = true;
    static constexpr int packed_step = 2;
    static size_t tile_bytes_of(int cols) { return (static_cast<size_t>((cols + 1) / 2) * kTileColumns * 4 + 63) / 64 * 64; }
    static size_t panel_bytes(int cols) { return packed_offset(cols + 1); }
    static size_t tile_offset(int col) { return static_cast<size_t>(col / 2) * kTileColumns * 4; }
    static size_t packed_offset(int col) { return static_cast<size_t>(col / 2) * kLine; }

    static void multiply(const uint8_t* panel, size_t group_stride, int groups, const uint8_t* tile, int cols, float* out, int out_ld, bool first) {
        constexpr int R = Avx512::float_tile;
        const int pairs = (cols + 1) / 2;
        int g = 0;
        for (; g + R <= groups; g += R) tile_product<R>(panel + static_cast<size_t>(g) * group_stride, group_stride, tile, pairs, out + g * kGroupRows, out_ld, first);
        for (; g < groups; g++) tile_product<1>(panel + static_cast<size_t>(g) * group_stride, group_stride, tile, pairs, out + g * kGroupRows, out_ld, first);
    }

private:
    template <int R> __attribute__((noinline)) static void tile_product(const uint8_t* panel, size_t stride, const uint8_t* tile, int pairs, float* out, int out_ld, bool first) {
        constexpr int C = kTileColumns;
        __m512 sum[R][C];
        AIFABRIK_UNROLL for (int r = 0; r < R; r++) {
            AIFABRIK_UNROLL for (int c = 0; c < C; c++) sum[r][c] = first ? _mm512_setzero_ps() : _mm512_loadu_ps(out + c * out_ld + r * kGroupRows);
        }
        const int8_t* x = reinterpret_cast<const int8_t*>(tile);
        for (int k = 0; k < pairs; k++, panel += kLine, x += 4 * C) {
            __m512i w[R];
            AIFABRIK_UNROLL for (int r = 0; r < R; r++) w[r] = Avx512::load(panel + r * stride);
            AIFABRIK_UNROLL for (int c = 0; c < C; c++) {
                const __m512i pair = Avx512::quad(x + 4 * c);
                AIFABRIK_UNROLL for (int r = 0; r < R; r++) sum[r][c] = _mm512_dpbf16_ps(sum[r][c], reinterpret_cast<__m512bh>(w[r]), reinterpret_cast<__m512bh>(pair));
            }
        }
        AIFABRIK_UNROLL for (int r = 0; r < R; r++) {
            AIFABRIK_UNROLL for (int c = 0; c < C; c++) _mm512_storeu_ps(out + c * out_ld + r * kGroupRows, sum[r][c]);
        }
    }
};

// A line is a pair of columns of 16 rows.
struct BfloatLine {
    using Column = int8_t;
    template <int N> AIFABRIK_INLINE static void line(const uint8_t* line, const int8_t* const (&x)[N], int i, __m512 (&sum)[1][N]) {
        const __m512i w = Avx512::load(line);
        AIFABRIK_UNROLL for (int c = 0; c < N; c++) {
            sum[0][c] = _mm512_dpbf16_ps(sum[0][c], reinterpret_cast<__m512bh>(w), reinterpret_cast<__m512bh>(Avx512::quad(x[c] + 4 * i)));
        }
    }
};

void pack_bfloat_tiles(int cols, const ActColumns& x, int tile_begin, int tile_end, uint8_t* dst) {
    const size_t tile_bytes = BfloatScheme::tile_bytes_of(cols);
    const int pairs = (cols + 1) / 2;   // prepared columns are padded with zeros, so the last pair is whole
    for (int tile = tile_begin; tile < tile_end; tile++) {
        uint32_t* out = reinterpret_cast<uint32_t*>(dst + static_cast<size_t>(tile) * tile_bytes);
        for (int c = 0; c < kTileColumns; c++) {
            const int at = tile * kTileColumns + c;
            if (at >= x.count) {
                for (int k = 0; k < pairs; k++) out[static_cast<size_t>(k) * kTileColumns + c] = 0;
                continue;
            }
            const uint32_t* column = reinterpret_cast<const uint32_t*>(x.base + static_cast<size_t>(x.index ? x.index[at] : at) * x.stride);
            for (int k = 0; k < pairs; k++) out[static_cast<size_t>(k) * kTileColumns + c] = column[k];
        }
    }
}

}  // namespace

void avx512_fill_bf16(MatmulKernels& kernels) {
    kernels.types[static_cast<int>(WeightType::BF16)] = TypeKernels{
        ActFamily::Bfloat16, gemv_all<Avx512, GroupsOf<Avx512, BfloatLine>, WeightType::BF16>, kTileColumns, BfloatScheme::tile_bytes_of, pack_bfloat_tiles,
        gemm_scratch_bytes<BfloatScheme>, gemm_all<Avx512, BfloatScheme>};
}

}  // namespace aifabrik
