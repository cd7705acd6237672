// A row's codes and scales into their places in a packed record, and back. weight_traits.h describes the planes.
#include <cstring>
#include "block_fields.h"

namespace aifabrik {
namespace {

constexpr int kLine = 64;
constexpr int kQuads = 8;   // of 4 columns, in a block of 32

uint32_t load_quad(const uint8_t* p) {
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return value;
}

// Joins four codes at a time to what the lane already holds.
void or_quad(uint8_t* p, uint32_t codes) {
    const uint32_t value = load_quad(p) | codes;
    memcpy(p, &value, sizeof value);
}

void put_codes(const WeightTraits& t, const uint8_t* code, int row, int b, uint8_t* record) {
    const int lane = row * 4;
    for (int j = 0; j < kQuads; j++) {
        const uint32_t quad = load_quad(code + 4 * j);
        if (t.bytes_at >= 0) or_quad(record + t.bytes_at + b * 8 * kLine + j * kLine + lane, quad);
        if (t.nibbles_at >= 0) or_quad(record + t.nibbles_at + b * 4 * kLine + j / 2 * kLine + lane, (quad & 0x0f0f0f0f) << (4 * (j % 2)));
        if (t.pairs_at >= 0) or_quad(record + t.pairs_at + b * 2 * kLine + j / 4 * kLine + lane, (quad >> t.pairs_shift & 0x03030303) << (2 * (j % 4)));
        if (t.bits_at >= 0) or_quad(record + t.bits_at + b * kLine + lane, (quad >> t.bits_shift & 0x01010101) << j);
    }
}

void take_codes(const WeightTraits& t, const uint8_t* record, int row, int b, uint8_t* code) {
    const int lane = row * 4;
    for (int j = 0; j < kQuads; j++) {
        uint32_t quad = 0;
        if (t.bytes_at >= 0) quad |= load_quad(record + t.bytes_at + b * 8 * kLine + j * kLine + lane);
        if (t.nibbles_at >= 0) quad |= load_quad(record + t.nibbles_at + b * 4 * kLine + j / 2 * kLine + lane) >> (4 * (j % 2)) & 0x0f0f0f0f;
        if (t.pairs_at >= 0) quad |= (load_quad(record + t.pairs_at + b * 2 * kLine + j / 4 * kLine + lane) >> (2 * (j % 4)) & 0x03030303) << t.pairs_shift;
        if (t.bits_at >= 0) quad |= (load_quad(record + t.bits_at + b * kLine + lane) >> j & 0x01010101) << t.bits_shift;
        memcpy(code + 4 * j, &quad, sizeof quad);
    }
}

void put16(uint8_t* p, int row, uint16_t value) { memcpy(p + 2 * row, &value, sizeof value); }

uint16_t take16(const uint8_t* p, int row) {
    uint16_t value;
    memcpy(&value, p + 2 * row, sizeof value);
    return value;
}

// Q4_K, Q5_K: three lines, byte j of lane r. A: scale j, with the top two bits of scale 4+j above it; B: the same of
// the minimums; C: low half of scale 4+j, and of minimum 4+j above it.
void put_scales_mins(const BlockFields& f, int row, uint8_t* sub) {
    for (int j = 0; j < 4; j++) {
        const int at = row * 4 + j;
        const uint8_t scale = static_cast<uint8_t>(f.sub_scale[j]), scale4 = static_cast<uint8_t>(f.sub_scale[4 + j]);
        sub[at] = static_cast<uint8_t>(scale | scale4 >> 4 << 6);
        sub[kLine + at] = static_cast<uint8_t>(f.sub_min[j] | f.sub_min[4 + j] >> 4 << 6);
        sub[2 * kLine + at] = static_cast<uint8_t>((scale4 & 15) | (f.sub_min[4 + j] & 15) << 4);
    }
}

void take_scales_mins(const uint8_t* sub, int row, BlockFields& f) {
    for (int j = 0; j < 4; j++) {
        const uint8_t a = sub[row * 4 + j], b = sub[kLine + row * 4 + j], c = sub[2 * kLine + row * 4 + j];
        f.sub_scale[j] = static_cast<int8_t>(a & 63);
        f.sub_scale[4 + j] = static_cast<int8_t>((c & 15) | a >> 6 << 4);
        f.sub_min[j] = b & 63;
        f.sub_min[4 + j] = static_cast<uint8_t>(c >> 4 | b >> 6 << 4);
    }
}

// Q3_K: three lines; line q, byte j of lane r: scale 4q+j + 32, with two bits of scale 12+j above it.
void put_scales16(const BlockFields& f, int row, uint8_t* sub) {
    for (int q = 0; q < 3; q++) {
        for (int j = 0; j < 4; j++) {
            const int rest = (f.sub_scale[12 + j] + 32) >> (2 * q) & 3;
            sub[q * kLine + row * 4 + j] = static_cast<uint8_t>((f.sub_scale[4 * q + j] + 32) | rest << 6);
        }
    }
}

void take_scales16(const uint8_t* sub, int row, BlockFields& f) {
    for (int j = 0; j < 4; j++) {
        int rest = 0;
        for (int q = 0; q < 3; q++) {
            const uint8_t byte = sub[q * kLine + row * 4 + j];
            f.sub_scale[4 * q + j] = static_cast<int8_t>((byte & 63) - 32);
            rest |= byte >> 6 << (2 * q);
        }
        f.sub_scale[12 + j] = static_cast<int8_t>(rest - 32);
    }
}

// IQ4_XS: a line, byte j of lane r: scale j + 32, with the top two bits of scale 4+j above it; then half a line, two
// bytes for each row: low halves of scales 4 and 6, then of 5 and 7.
void put_scales8(const BlockFields& f, int row, uint8_t* sub) {
    for (int j = 0; j < 4; j++) {
        const int scale4 = f.sub_scale[4 + j] + 32;
        sub[row * 4 + j] = static_cast<uint8_t>((f.sub_scale[j] + 32) | scale4 >> 4 << 6);
        sub[kLine + row * 2 + j % 2] |= static_cast<uint8_t>((scale4 & 15) << (j / 2 * 4));
    }
}

void take_scales8(const uint8_t* sub, int row, BlockFields& f) {
    for (int j = 0; j < 4; j++) {
        const uint8_t a = sub[row * 4 + j];
        const int low = sub[kLine + row * 2 + j % 2] >> (j / 2 * 4) & 15;
        f.sub_scale[j] = static_cast<int8_t>((a & 63) - 32);
        f.sub_scale[4 + j] = static_cast<int8_t>((low | a >> 6 << 4) - 32);
    }
}

}  // namespace

void put_in_record(WeightType type, const BlockFields& f, int row, int block, uint8_t* record) {
    const WeightTraits t = traits_of(type);
    const int parts = t.block_cols / 32;
    for (int b = 0; b < parts; b++) put_codes(t, f.code + 32 * b, row, block * parts + b, record);
    if (type == WeightType::MXFP4) record[t.scale_at + block * 16 + row] = static_cast<uint8_t>(f.scale);
    else put16(record + t.scale_at + block * 32, row, f.scale);
    if (t.min_at >= 0) put16(record + t.min_at + block * 32, row, f.min);
    uint8_t* sub = record + t.sub_at;
    switch (type) {
        case WeightType::Q4_K:
        case WeightType::Q5_K: return put_scales_mins(f, row, sub);
        case WeightType::Q3_K: return put_scales16(f, row, sub);
        case WeightType::IQ4_XS: return put_scales8(f, row, sub);
        case WeightType::Q6_K:
            for (int s = 0; s < 16; s++) sub[s * 16 + row] = static_cast<uint8_t>(f.sub_scale[s]);
            return;
        case WeightType::Q2_K:
            for (int s = 0; s < 16; s++) sub[s * 16 + row] = static_cast<uint8_t>(f.sub_scale[s] | f.sub_min[s] << 4);
            return;
        default: return;
    }
}

void take_from_record(WeightType type, const uint8_t* record, int row, int block, BlockFields& f) {
    const WeightTraits t = traits_of(type);
    const int parts = t.block_cols / 32;
    for (int b = 0; b < parts; b++) take_codes(t, record, row, block * parts + b, f.code + 32 * b);
    f.scale = type == WeightType::MXFP4 ? record[t.scale_at + block * 16 + row] : take16(record + t.scale_at + block * 32, row);
    if (t.min_at >= 0) f.min = take16(record + t.min_at + block * 32, row);
    const uint8_t* sub = record + t.sub_at;
    switch (type) {
        case WeightType::Q4_K:
        case WeightType::Q5_K: return take_scales_mins(sub, row, f);
        case WeightType::Q3_K: return take_scales16(sub, row, f);
        case WeightType::IQ4_XS: return take_scales8(sub, row, f);
        case WeightType::Q6_K:
            for (int s = 0; s < 16; s++) f.sub_scale[s] = static_cast<int8_t>(sub[s * 16 + row]);
            return;
        case WeightType::Q2_K:
            for (int s = 0; s < 16; s++) {
                f.sub_scale[s] = static_cast<int8_t>(sub[s * 16 + row] & 15);
                f.sub_min[s] = sub[s * 16 + row] >> 4;
            }
            return;
        default: return;
    }
}

}  // namespace aifabrik
