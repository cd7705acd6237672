// What a weight type is made of: its block in the file, and the record that it is repacked into.
// A record is 16 rows x 64, 128 or 256 columns in whole cache lines. A group of 16 rows is a run of records.
#pragma once
#include "aifabrik/matmul.h"

namespace aifabrik {

// Which scales a block of 32 columns has.
enum class ScaleMode {
    Float,         // not quantised
    One,           // w = scale * (code - offset)
    OneMin,        // w = scale * code + min
    Two,           // one scale for each half of 16 columns, no minimum
    TwoMin,        // scale and minimum for each half of 16 columns
};

// Codes in a record are cut into planes of bits. A plane holds `quads` of codes: lane r (4 bytes) of a 64-byte line is
// row r, byte i of it column 4 * quad + i. Per block of 32 columns (8 quads):
//   bytes    8 lines, quad j in line j
//   nibbles  4 lines, quad 2v in the low and quad 2v+1 in the high half of line v
//   pairs    2 lines, quad 4h+p in bits 2p, 2p+1 of line h
//   bits     1 line,  quad j in bit j
// A code is the planes' parts shifted and joined. -1: no such plane; else the offset of block 0's in the record.
struct WeightTraits {
    int block_cols;      // of the file
    int block_bytes;     // of the file
    int record_cols;
    int record_bytes;
    ScaleMode mode;
    int offset;          // subtracted from the code (after the table, if there is one)
    int code_max;        // largest code as the kernels see it
    int bytes_at, nibbles_at, pairs_at, bits_at;
    int pairs_shift;     // where the pair's bits go in the code
    int bits_shift;
    int scale_at;        // 16 float16 (or exponent bytes) per block of the file
    int min_at;          // 16 float16 per block of the file; -1: none
    int sub_at;          // scales of the parts of a 256-column block; -1: none
};

static inline constexpr WeightTraits traits_of(WeightType type) {
    using enum ScaleMode;
    switch (type) {
        //                               file        record      mode    off  max   byte nibb pair bits  ps bs  scale  min   sub
        case WeightType::F32:    return {1, 4,       1, 64,      Float,   0,   0,   -1,  -1,  -1,  -1,   0, 0,  -1,   -1,   -1};
        case WeightType::F16:    return {1, 2,       2, 64,      Float,   0,   0,   -1,  -1,  -1,  -1,   0, 0,  -1,   -1,   -1};
        case WeightType::BF16:   return {1, 2,       2, 64,      Float,   0,   0,   -1,  -1,  -1,  -1,   0, 0,  -1,   -1,   -1};
        case WeightType::Q8_0:   return {32, 34,     64, 1088,   One,     128, 255, 0,   -1,  -1,  -1,   0, 0,  1024, -1,   -1};
        case WeightType::Q4_0:   return {32, 18,     64, 576,    One,     8,   15,  -1,  0,   -1,  -1,   0, 0,  512,  -1,   -1};
        case WeightType::Q4_1:   return {32, 20,     64, 640,    OneMin,  0,   15,  -1,  0,   -1,  -1,   0, 0,  512,  576,  -1};
        case WeightType::Q5_0:   return {32, 22,     64, 704,    One,     16,  31,  -1,  0,   -1,  512,  0, 4,  640,  -1,   -1};
        case WeightType::Q5_1:   return {32, 24,     64, 768,    OneMin,  0,   31,  -1,  0,   -1,  512,  0, 4,  640,  704,  -1};
        case WeightType::IQ4_NL: return {32, 18,     64, 576,    One,     128, 255, -1,  0,   -1,  -1,   0, 0,  512,  -1,   -1};
        case WeightType::MXFP4:  return {32, 17,     128, 1088,  One,     12,  24,  -1,  0,   -1,  -1,   0, 0,  1024, -1,   -1};
        case WeightType::Q2_K:   return {256, 84,    256, 1344,  TwoMin,  0,   3,   -1,  -1,  0,   -1,   0, 0,  1280, 1312, 1024};
        case WeightType::Q3_K:   return {256, 110,   256, 1792,  Two,     4,   7,   -1,  -1,  0,   1024, 0, 2,  1728, -1,   1536};
        case WeightType::Q4_K:   return {256, 144,   256, 2304,  OneMin,  0,   15,  -1,  0,   -1,  -1,   0, 0,  2048, 2080, 2112};
        case WeightType::Q5_K:   return {256, 176,   256, 2816,  OneMin,  0,   31,  -1,  0,   -1,  2048, 0, 4,  2560, 2592, 2624};
        case WeightType::Q6_K:   return {256, 210,   256, 3392,  Two,     32,  63,  -1,  0,   2048, -1,  4, 0,  3328, -1,   3072};
        case WeightType::IQ4_XS: return {256, 136,   256, 2176,  One,     128, 255, -1,  0,   -1,  -1,   0, 0,  2144, -1,   2048};
    }
    return {};
}

static inline constexpr int round_up(int value, int step) { return (value + step - 1) / step * step; }

// Values that 4-bit codes stand for.
inline constexpr int8_t kIq4Values[16] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113};
inline constexpr int8_t kMxfp4Values[16] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};   // in halves

// (A comparison of value_table with null is no constant under the undefined-behaviour sanitizer.)
static inline constexpr bool has_value_table(WeightType type) {
    return type == WeightType::IQ4_NL || type == WeightType::IQ4_XS || type == WeightType::MXFP4;
}

static inline constexpr const int8_t* value_table(WeightType type) {
    switch (type) {
        case WeightType::IQ4_NL:
        case WeightType::IQ4_XS: return kIq4Values;
        case WeightType::MXFP4: return kMxfp4Values;
        default: return nullptr;
    }
}

}  // namespace aifabrik
