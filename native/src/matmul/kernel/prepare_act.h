// Columns made ready for the products: int8 blocks, float32 as it is, or rounded to bfloat16.
#pragma once
#include "act_block.h"
#include "float_kernels.h"

namespace aifabrik {
namespace {

// What the block's scale and sums follow from. q is written already; low, high: sums of its halves.
AIFABRIK_INLINE void finish_act_block(ActBlock& block, float scale, int low, int high) {
    const int sum = low + high;
    block.scale = scale;
    block.scaled_sum = scale * static_cast<float>(sum);
    block.start_128 = -128 * sum;
    block.start_8 = -8 * sum;
    block.start_16 = -16 * sum;
    block.start_12 = -12 * sum;
    block.sum_low = low;
    block.sum_high = high;
}

// V::quantise_block(x [32], block): q = round to nearest even of x * (127 / max|x|), the same in every instruction set.
template <class V> void prepare_int8(const float* x, int cols, int block_begin, int block_end, uint8_t* act) {
    ActBlock* blocks = reinterpret_cast<ActBlock*>(act);
    const int last = (cols + kActBlockCols - 1) / kActBlockCols;
    for (int b = block_begin; b < block_end; b++) {
        const int left = cols - b * kActBlockCols;
        if (left >= kActBlockCols) {
            V::quantise_block(x + b * kActBlockCols, blocks[b]);
        } else {
            alignas(64) float padded[kActBlockCols] = {};
            for (int i = 0; i < left; i++) padded[i] = x[b * kActBlockCols + i];
            V::quantise_block(padded, blocks[b]);
        }
    }
    if (block_end < last) return;
    const int padded_blocks = (cols + kActPadCols - 1) / kActPadCols * (kActPadCols / kActBlockCols);
    __builtin_memset(static_cast<void*>(blocks + last), 0, static_cast<size_t>(padded_blocks - last) * sizeof(ActBlock));
}

template <class V> void prepare_float(const float* x, int cols, int block_begin, int block_end, uint8_t* act) {
    float* out = reinterpret_cast<float*>(act);
    const int last = (cols + kActBlockCols - 1) / kActBlockCols;
    const int end = block_end >= last ? cols : block_end * kActBlockCols;
    const int begin = block_begin * kActBlockCols;
    if (end > begin) __builtin_memcpy(out + begin, x + begin, static_cast<size_t>(end - begin) * sizeof(float));
    if (block_end < last) return;
    for (int k = cols; k % kFloatPadCols != 0; k++) out[k] = 0.0f;
}

// Round to nearest even; a NaN stays one.
AIFABRIK_INLINE uint16_t to_bfloat(float value) {
    uint32_t bits;
    __builtin_memcpy(&bits, &value, sizeof bits);
    const uint32_t rounded = bits + 0x7fff + (bits >> 16 & 1);
    return static_cast<uint16_t>(((bits & 0x7fffffff) > 0x7f800000 ? bits | 0x400000 : rounded) >> 16);
}

template <class V> void prepare_bfloat(const float* x, int cols, int block_begin, int block_end, uint8_t* act) {
    uint16_t* out = reinterpret_cast<uint16_t*>(act);
    const int last = (cols + kActBlockCols - 1) / kActBlockCols;
    const int end = block_end >= last ? cols : block_end * kActBlockCols;
    for (int k = block_begin * kActBlockCols; k < end; k++) out[k] = to_bfloat(x[k]);
    if (block_end < last) return;
    for (int k = cols; k % kActBlockCols != 0; k++) out[k] = 0;
}

template <class V> void prepare_act_blocks(ActFamily family, const float* x, int cols, int block_begin, int block_end, uint8_t* act) {
    if (family == ActFamily::Int8) prepare_int8<V>(x, cols, block_begin, block_end, act);
    else if (family == ActFamily::Bfloat16) prepare_bfloat<V>(x, cols, block_begin, block_end, act);
    else prepare_float<V>(x, cols, block_begin, block_end, act);
}

template <class V> void prepare_act(ActFamily family, const float* x, int cols, uint8_t* act) {
    prepare_act_blocks<V>(family, x, cols, 0, (cols + kActBlockCols - 1) / kActBlockCols, act);
}

}  // namespace
}  // namespace aifabrik
