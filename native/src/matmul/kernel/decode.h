// One block of 32 columns x V::rows rows of a record, decoded into unsigned codes, scales and minimums.
// Written once for all instruction sets: V is one of */vector.h. Internal linkage throughout, since every file that
// includes this is compiled for another processor.
#pragma once
#include "../format/weight_traits.h"

#define AIFABRIK_UNROLL _Pragma("GCC unroll 16")
#define AIFABRIK_INLINE inline __attribute__((always_inline))

namespace aifabrik {
namespace {

constexpr int kLine = 64;

template <class V> constexpr int kParts = kGroupRows / V::rows;   // vectors that make a group

constexpr bool has_two_scales(ScaleMode mode) { return mode == ScaleMode::Two || mode == ScaleMode::TwoMin; }
constexpr bool has_min(ScaleMode mode) { return mode == ScaleMode::OneMin || mode == ScaleMode::TwoMin; }

// Instruction sets that multiply signed by signed take 8-bit codes as value = code - 128; their sums start at 0.
template <class V, WeightType T> constexpr bool kSignedCodes = V::signed_bytes && traits_of(T).code_max == 255;

template <class V> struct Block {
    typename V::Codes code[8];     // quad j: columns 4j .. 4j+3 of each row
    typename V::Floats scale[2];   // [1]: of columns 16..31, where there are two
    typename V::Floats min[2];     // added to the product
};

// What a record of 256 columns keeps once for all its blocks.
template <class V> struct SuperBlock {
    typename V::Floats scale, min;
    typename V::Codes scales[4], mins[2];   // byte j of lane r of vector q: scale 4q + j
};

// `part`: which V::rows of the 16 rows.
template <class V, WeightType T> AIFABRIK_INLINE void open_record(const uint8_t* record, int part, SuperBlock<V>& super) {
    constexpr WeightTraits t = traits_of(T);
    if constexpr (t.record_cols == 256) {
        super.scale = V::half(record + t.scale_at + part * V::rows * 2);
        if constexpr (t.min_at >= 0) super.min = V::negate(V::half(record + t.min_at + part * V::rows * 2));
        const uint8_t* sub = record + t.sub_at + part * V::rows * 4;
        if constexpr (T == WeightType::Q4_K || T == WeightType::Q5_K) {
            const auto a = V::load(sub), b = V::load(sub + kLine), c = V::load(sub + 2 * kLine);
            super.scales[0] = V::masked(a, 63);
            super.mins[0] = V::masked(b, 63);
            super.scales[1] = V::template merged<-2>(V::masked(c, 15), a, 0x30);
            super.mins[1] = V::template merged<-2>(V::template shifted<-4>(c, 15), b, 0x30);
        } else if constexpr (T == WeightType::Q3_K) {
            const auto a = V::load(sub), b = V::load(sub + kLine), c = V::load(sub + 2 * kLine);
            super.scales[0] = V::masked(a, 63);
            super.scales[1] = V::masked(b, 63);
            super.scales[2] = V::masked(c, 63);
            super.scales[3] = V::template merged<-2>(V::template merged<-4>(V::template shifted<-6>(a, 3), b, 0x0c), c, 0x30);
        } else if constexpr (T == WeightType::IQ4_XS) {
            const auto a = V::load(sub);
            super.scales[0] = V::masked(a, 63);
            super.scales[1] = V::template merged<-2>(V::nibbles_of_pairs(record + t.sub_at + kLine + part * V::rows * 2), a, 0x30);
        }
    }
}

template <class V, WeightType T> AIFABRIK_INLINE void decode_codes(const uint8_t* record, int part, int b, typename V::Codes (&code)[8]) {
    constexpr WeightTraits t = traits_of(T);
    const int at = part * V::rows * 4;
    if constexpr (t.bytes_at >= 0) {
        AIFABRIK_UNROLL for (int j = 0; j < 8; j++) code[j] = V::load(record + t.bytes_at + (b * 8 + j) * kLine + at);
    }
    if constexpr (t.nibbles_at >= 0) {
        AIFABRIK_UNROLL for (int v = 0; v < 4; v++) {
            const auto x = V::load(record + t.nibbles_at + (b * 4 + v) * kLine + at);
            code[2 * v] = V::masked(x, 15);
            code[2 * v + 1] = V::template shifted<-4>(x, 15);
        }
    }
    if constexpr (t.pairs_at >= 0) {
        constexpr int s = t.pairs_shift;
        AIFABRIK_UNROLL for (int h = 0; h < 2; h++) {
            const auto x = V::load(record + t.pairs_at + (b * 2 + h) * kLine + at);
            if constexpr (t.nibbles_at < 0) {
                code[4 * h] = V::masked(x, 3);
                code[4 * h + 1] = V::template shifted<-2>(x, 3);
                code[4 * h + 2] = V::template shifted<-4>(x, 3);
                code[4 * h + 3] = V::template shifted<-6>(x, 3);
            } else {
                code[4 * h] = V::template merged<s>(code[4 * h], x, 3 << s);
                code[4 * h + 1] = V::template merged<s - 2>(code[4 * h + 1], x, 3 << s);
                code[4 * h + 2] = V::template merged<s - 4>(code[4 * h + 2], x, 3 << s);
                code[4 * h + 3] = V::template merged<s - 6>(code[4 * h + 3], x, 3 << s);
            }
        }
    }
    if constexpr (t.bits_at >= 0) {
        constexpr int s = t.bits_shift;
        const auto x = V::load(record + t.bits_at + b * kLine + at);
        code[0] = V::template merged<s>(code[0], x, 1 << s);
        code[1] = V::template merged<s - 1>(code[1], x, 1 << s);
        code[2] = V::template merged<s - 2>(code[2], x, 1 << s);
        code[3] = V::template merged<s - 3>(code[3], x, 1 << s);
        code[4] = V::template merged<s - 4>(code[4], x, 1 << s);
        code[5] = V::template merged<s - 5>(code[5], x, 1 << s);
        code[6] = V::template merged<s - 6>(code[6], x, 1 << s);
        code[7] = V::template merged<s - 7>(code[7], x, 1 << s);
    }
    if constexpr (has_value_table(T)) {
        const auto table = V::table(value_table(T), kSignedCodes<V, T> ? 0 : t.offset);
        AIFABRIK_UNROLL for (int j = 0; j < 8; j++) code[j] = V::lookup(table, code[j]);
    } else if constexpr (kSignedCodes<V, T>) {
        AIFABRIK_UNROLL for (int j = 0; j < 8; j++) code[j] = V::flip_top_bit(code[j]);
    }
}

template <class V, WeightType T> AIFABRIK_INLINE void decode_scales(const uint8_t* record, int part, int b, const SuperBlock<V>& super, Block<V>& out) {
    constexpr WeightTraits t = traits_of(T);
    const int row = part * V::rows;
    if constexpr (T == WeightType::MXFP4) {
        out.scale[0] = V::exponents(record + t.scale_at + b * 16 + row);
    } else if constexpr (t.record_cols < 256) {
        out.scale[0] = V::half(record + t.scale_at + b * 32 + row * 2);
        if constexpr (t.min_at >= 0) out.min[0] = V::half(record + t.min_at + b * 32 + row * 2);
    } else if constexpr (T == WeightType::Q6_K) {
        out.scale[0] = V::mul(super.scale, V::signed_bytes_at(record + t.sub_at + b * 32 + row));
        out.scale[1] = V::mul(super.scale, V::signed_bytes_at(record + t.sub_at + b * 32 + 16 + row));
    } else if constexpr (T == WeightType::Q2_K) {
        AIFABRIK_UNROLL for (int h = 0; h < 2; h++) {
            typename V::Floats low, high;
            V::nibbles_at(record + t.sub_at + b * 32 + h * 16 + row, low, high);
            out.scale[h] = V::mul(super.scale, low);
            out.min[h] = V::mul(super.min, high);
        }
    } else if constexpr (T == WeightType::Q3_K) {
        const auto four = b < 2 ? super.scales[0] : b < 4 ? super.scales[1] : b < 6 ? super.scales[2] : super.scales[3];
        out.scale[0] = V::mul(super.scale, V::lane_byte(four, b % 2 * 2, 32));
        out.scale[1] = V::mul(super.scale, V::lane_byte(four, b % 2 * 2 + 1, 32));
    } else {
        out.scale[0] = V::mul(super.scale, V::lane_byte(b < 4 ? super.scales[0] : super.scales[1], b % 4, T == WeightType::IQ4_XS ? 32 : 0));
        if constexpr (t.min_at >= 0) out.min[0] = V::mul(super.min, V::lane_byte(b < 4 ? super.mins[0] : super.mins[1], b % 4, 0));
    }
}

template <class V, WeightType T> AIFABRIK_INLINE void decode_block(const uint8_t* record, int part, int b, const SuperBlock<V>& super, Block<V>& out) {
    decode_codes<V, T>(record, part, b, out.code);
    decode_scales<V, T>(record, part, b, super, out);
}

}  // namespace
}  // namespace aifabrik
