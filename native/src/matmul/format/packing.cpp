// Packing, unpacking and the sizes that go with them: the part of matmul.h that needs no instruction set.
#include <cstring>
#include "block_fields.h"
#include "small_floats.h"

namespace aifabrik {
namespace {

bool is_float(WeightType type) { return traits_of(type).mode == ScaleMode::Float; }

constexpr int kFloatPackCols = 128;   // so many columns of all rows at a time: what they write stays in the first-level cache

// Float weights. F32, F16: [col][16 rows]. BF16: [pair of cols][16 rows][2], what vdpbf16ps and its kin multiply with.
void pack_float_part(WeightType type, const uint8_t* src, int begin, int end, int row, uint8_t* group) {
    if (type == WeightType::F32) {
        for (int k = begin; k < end; k++) memcpy(group + (static_cast<size_t>(k) * kGroupRows + row) * 4, src + static_cast<size_t>(k) * 4, 4);
    } else if (type == WeightType::F16) {
        for (int k = begin; k < end; k++) memcpy(group + (static_cast<size_t>(k) * kGroupRows + row) * 2, src + static_cast<size_t>(k) * 2, 2);
    } else {
        int k = begin;   // even
        for (; k + 2 <= end; k += 2) memcpy(group + (static_cast<size_t>(k / 2) * kGroupRows + row) * 4, src + static_cast<size_t>(k) * 2, 4);
        if (k < end) memcpy(group + (static_cast<size_t>(k / 2) * kGroupRows + row) * 4, src + static_cast<size_t>(k) * 2, 2);
    }
}

void pack_float_group(const MatrixShape& shape, const uint8_t* src, int64_t row_stride_bytes, int rows, uint8_t* group) {
    for (int k = 0; k < shape.cols; k += kFloatPackCols) {
        const int end = shape.cols - k < kFloatPackCols ? shape.cols : k + kFloatPackCols;
        for (int row = 0; row < rows; row++) pack_float_part(shape.type, src + row * row_stride_bytes, k, end, row, group);
    }
}

void unpack_float_row(WeightType type, const uint8_t* group, int cols, int row, float* out) {
    for (int k = 0; k < cols; k++) {
        uint16_t small;
        if (type == WeightType::F32) {
            memcpy(out + k, group + (static_cast<size_t>(k) * kGroupRows + row) * 4, 4);
        } else if (type == WeightType::F16) {
            memcpy(&small, group + (static_cast<size_t>(k) * kGroupRows + row) * 2, 2);
            out[k] = half_to_float(small);
        } else {
            memcpy(&small, group + (static_cast<size_t>(k / 2) * kGroupRows + row) * 4 + k % 2 * 2, 2);
            out[k] = bfloat_to_float(small);
        }
    }
}

}  // namespace

bool weight_type_known(WeightType type) { return traits_of(type).block_cols != 0; }
int weight_block_cols(WeightType type) { return traits_of(type).block_cols; }
size_t weight_block_bytes(WeightType type) { return static_cast<size_t>(traits_of(type).block_bytes); }

size_t weight_row_bytes(WeightType type, int cols) {
    const WeightTraits t = traits_of(type);
    return t.block_cols == 0 ? 0 : static_cast<size_t>(cols / t.block_cols) * static_cast<size_t>(t.block_bytes);
}

size_t packed_group_bytes(WeightType type, int cols) {
    const WeightTraits t = traits_of(type);
    return t.record_cols == 0 ? 0 : static_cast<size_t>(round_up(cols, t.record_cols) / t.record_cols) * static_cast<size_t>(t.record_bytes);
}

void pack_groups(const MatrixShape& shape, const uint8_t* src, int64_t row_stride_bytes,
                 uint8_t* dst, size_t dst_group_stride, int group_begin, int group_end) {
    const WeightTraits t = traits_of(shape.type);
    const size_t group_bytes = packed_group_bytes(shape.type, shape.cols);
    for (int g = group_begin; g < group_end; g++) {
        uint8_t* group = dst + static_cast<size_t>(g) * dst_group_stride;
        memset(group, 0, group_bytes);
        const uint8_t* lines = src + static_cast<int64_t>(g) * kGroupRows * row_stride_bytes;
        const int rows = shape.rows - g * kGroupRows < kGroupRows ? shape.rows - g * kGroupRows : kGroupRows;
        if (is_float(shape.type)) {
            pack_float_group(shape, lines, row_stride_bytes, rows, group);
            continue;
        }
        for (int row = 0; row < rows; row++) {
            const uint8_t* line = lines + row * row_stride_bytes;
            const int record_blocks = t.record_cols / t.block_cols;
            BlockFields fields;
            for (int b = 0; b < shape.cols / t.block_cols; b++) {
                read_block(shape.type, line + static_cast<size_t>(b) * static_cast<size_t>(t.block_bytes), fields);
                put_in_record(shape.type, fields, row, b % record_blocks, group + static_cast<size_t>(b / record_blocks) * static_cast<size_t>(t.record_bytes));
            }
        }
    }
}

void unpack_row(WeightType type, int cols, const uint8_t* packed, size_t group_stride, int row, float* out) {
    const WeightTraits t = traits_of(type);
    const uint8_t* group = packed + static_cast<size_t>(row / kGroupRows) * group_stride;
    if (is_float(type)) return unpack_float_row(type, group, cols, row % kGroupRows, out);
    const int record_blocks = t.record_cols / t.block_cols;
    BlockFields fields;
    for (int b = 0; b < cols / t.block_cols; b++) {
        take_from_record(type, group + static_cast<size_t>(b / record_blocks) * static_cast<size_t>(t.record_bytes), row % kGroupRows, b % record_blocks, fields);
        block_values(type, fields, out + b * t.block_cols);
    }
}

void dequantize_row(WeightType type, const uint8_t* src, float* out, int cols) {
    const WeightTraits t = traits_of(type);
    if (is_float(type)) {
        for (int k = 0; k < cols; k++) {
            uint16_t small;
            if (type == WeightType::F32) {
                memcpy(out + k, src + static_cast<size_t>(k) * 4, 4);
            } else {
                memcpy(&small, src + static_cast<size_t>(k) * 2, 2);
                out[k] = type == WeightType::F16 ? half_to_float(small) : bfloat_to_float(small);
            }
        }
        return;
    }
    BlockFields fields;
    for (int b = 0; b < cols / t.block_cols; b++) {
        read_block(type, src + static_cast<size_t>(b) * static_cast<size_t>(t.block_bytes), fields);
        block_values(type, fields, out + b * t.block_cols);
    }
}

}  // namespace aifabrik
