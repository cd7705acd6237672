// A prepared column of the Int8 family: one cache line for 32 columns.
#pragma once
#include "aifabrik/matmul.h"

namespace aifabrik {

constexpr int kActBlockCols = 32;
constexpr int kActPadCols = 256;   // columns are padded with zero blocks to the largest record

// x[k] ~ scale * q[k], q in -127..127, scale = max|x| / 127.
// Kernels multiply unsigned codes, so their integer sums start at -offset * sum(q): the product comes out right
// without a correction afterwards, and loading the start costs no more than clearing a register.
struct alignas(64) ActBlock {
    int8_t q[32];
    float scale;
    float scaled_sum;    // scale * sum(q), for types with a minimum
    int32_t start_128;   // -128 * sum(q): Q8_0, IQ4_NL, IQ4_XS
    int32_t start_8;     // Q4_0
    int32_t start_16;    // Q5_0
    int32_t start_12;    // MXFP4
    int32_t sum_low;     // sum of q[0..15]
    int32_t sum_high;    // sum of q[16..31]
};
static_assert(sizeof(ActBlock) == 64);

// Below this a block counts as zero: 127 / max|x| would not be finite.
constexpr float kActZeroBelow = 1e-36f;

}  // namespace aifabrik
