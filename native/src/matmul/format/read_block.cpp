// The file format's blocks (ggml's definitions) taken apart into codes, scales and minimums.
#include <cstring>
#include "block_fields.h"

namespace aifabrik {
namespace {

uint16_t load16(const uint8_t* p) {
    uint16_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

uint32_t load32(const uint8_t* p) {
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

// 16 bytes: columns 0..15 in the low halves, 16..31 in the high ones.
void nibbles32(const uint8_t* src, uint8_t* code) {
    for (int j = 0; j < 16; j++) {
        code[j] = src[j] & 15;
        code[j + 16] = src[j] >> 4;
    }
}

void fifth_bits32(uint32_t high, uint8_t* code) {
    for (int j = 0; j < 32; j++) code[j] |= static_cast<uint8_t>((high >> j & 1) << 4);
}

// Eight 6-bit scales and eight 6-bit minimums in 12 bytes.
void scales_and_mins(const uint8_t* src, BlockFields& out) {
    for (int j = 0; j < 4; j++) {
        out.sub_scale[j] = static_cast<int8_t>(src[j] & 63);
        out.sub_min[j] = src[j + 4] & 63;
        out.sub_scale[j + 4] = static_cast<int8_t>((src[j + 8] & 15) | src[j] >> 6 << 4);
        out.sub_min[j + 4] = static_cast<uint8_t>(src[j + 8] >> 4 | src[j + 4] >> 6 << 4);
    }
}

// 128 bytes: each 32 bytes hold 64 columns, the first 32 in the low halves.
void nibbles256(const uint8_t* src, uint8_t* code) {
    for (int c = 0; c < 4; c++) {
        for (int l = 0; l < 32; l++) {
            code[64 * c + l] = src[32 * c + l] & 15;
            code[64 * c + 32 + l] = src[32 * c + l] >> 4;
        }
    }
}

// 64 bytes: each 32 bytes hold 128 columns, 32 of them in each pair of bits.
void pairs256(const uint8_t* src, uint8_t* code) {
    for (int n = 0; n < 2; n++) {
        for (int j = 0; j < 4; j++) {
            for (int l = 0; l < 32; l++) code[128 * n + 32 * j + l] = src[32 * n + l] >> (2 * j) & 3;
        }
    }
}

void read_q2_k(const uint8_t* src, BlockFields& out) {
    for (int s = 0; s < 16; s++) {
        out.sub_scale[s] = static_cast<int8_t>(src[s] & 15);
        out.sub_min[s] = src[s] >> 4;
    }
    pairs256(src + 16, out.code);
    out.scale = load16(src + 80);
    out.min = load16(src + 82);
}

void read_q3_k(const uint8_t* src, BlockFields& out) {
    pairs256(src + 32, out.code);
    for (int part = 0; part < 8; part++) {
        for (int l = 0; l < 32; l++) out.code[32 * part + l] |= static_cast<uint8_t>((src[l] >> part & 1) << 2);
    }
    const uint8_t* scales = src + 96;
    for (int k = 0; k < 16; k++) {
        const int low = k < 8 ? scales[k] & 15 : scales[k - 8] >> 4;
        const int high = scales[8 + k % 4] >> (2 * (k / 4)) & 3;
        out.sub_scale[k] = static_cast<int8_t>((low | high << 4) - 32);
    }
    out.scale = load16(src + 108);
}

void read_q4_k(const uint8_t* src, BlockFields& out) {
    out.scale = load16(src);
    out.min = load16(src + 2);
    scales_and_mins(src + 4, out);
    nibbles256(src + 16, out.code);
}

void read_q5_k(const uint8_t* src, BlockFields& out) {
    out.scale = load16(src);
    out.min = load16(src + 2);
    scales_and_mins(src + 4, out);
    nibbles256(src + 48, out.code);
    for (int part = 0; part < 8; part++) {
        for (int l = 0; l < 32; l++) out.code[32 * part + l] |= static_cast<uint8_t>((src[16 + l] >> part & 1) << 4);
    }
}

void read_q6_k(const uint8_t* src, BlockFields& out) {
    for (int n = 0; n < 2; n++) {
        const uint8_t* low = src + 64 * n;
        const uint8_t* high = src + 128 + 32 * n;
        uint8_t* code = out.code + 128 * n;
        for (int l = 0; l < 32; l++) {
            code[l] = static_cast<uint8_t>((low[l] & 15) | (high[l] & 3) << 4);
            code[l + 32] = static_cast<uint8_t>((low[l + 32] & 15) | (high[l] >> 2 & 3) << 4);
            code[l + 64] = static_cast<uint8_t>(low[l] >> 4 | (high[l] >> 4 & 3) << 4);
            code[l + 96] = static_cast<uint8_t>(low[l + 32] >> 4 | (high[l] >> 6 & 3) << 4);
        }
    }
    memcpy(out.sub_scale, src + 192, 16);
    out.scale = load16(src + 208);
}

void read_iq4_xs(const uint8_t* src, BlockFields& out) {
    out.scale = load16(src);
    const uint32_t high = load16(src + 2);
    for (int b = 0; b < 8; b++) {
        const int low = src[4 + b / 2] >> (4 * (b % 2)) & 15;
        out.sub_scale[b] = static_cast<int8_t>((low | static_cast<int>(high >> (2 * b) & 3) << 4) - 32);
        nibbles32(src + 8 + 16 * b, out.code + 32 * b);
    }
}

}  // namespace

void read_block(WeightType type, const uint8_t* src, BlockFields& out) {
    switch (type) {
        case WeightType::Q8_0:
            out.scale = load16(src);
            for (int k = 0; k < 32; k++) out.code[k] = src[2 + k] ^ 0x80;
            return;
        case WeightType::Q4_0:
        case WeightType::IQ4_NL:
            out.scale = load16(src);
            nibbles32(src + 2, out.code);
            return;
        case WeightType::Q4_1:
            out.scale = load16(src);
            out.min = load16(src + 2);
            nibbles32(src + 4, out.code);
            return;
        case WeightType::Q5_0:
            out.scale = load16(src);
            nibbles32(src + 6, out.code);
            fifth_bits32(load32(src + 2), out.code);
            return;
        case WeightType::Q5_1:
            out.scale = load16(src);
            out.min = load16(src + 2);
            nibbles32(src + 8, out.code);
            fifth_bits32(load32(src + 4), out.code);
            return;
        case WeightType::MXFP4:
            out.scale = src[0];
            nibbles32(src + 1, out.code);
            return;
        case WeightType::Q2_K: return read_q2_k(src, out);
        case WeightType::Q3_K: return read_q3_k(src, out);
        case WeightType::Q4_K: return read_q4_k(src, out);
        case WeightType::Q5_K: return read_q5_k(src, out);
        case WeightType::Q6_K: return read_q6_k(src, out);
        case WeightType::IQ4_XS: return read_iq4_xs(src, out);
        case WeightType::F32:
        case WeightType::F16:
        case WeightType::BF16: return;   // no blocks
    }
}

}  // namespace aifabrik
