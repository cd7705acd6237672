// The exact float32 values of a block. Compiled without contraction to fused operations: the format's definition
// rounds (scale * code) and then the difference, and the golden blocks hold every bit of that.
#include "block_fields.h"
#include "small_floats.h"

namespace aifabrik {

void block_values(WeightType type, const BlockFields& block, float* out) {
    const WeightTraits t = traits_of(type);
    const int8_t* table = value_table(type);
    const float scale = type == WeightType::MXFP4 ? exponent_to_half_scale(static_cast<uint8_t>(block.scale)) : half_to_float(block.scale);
    const float min = t.min_at >= 0 ? half_to_float(block.min) : 0.0f;
    const int part_cols = t.mode == ScaleMode::Two || t.mode == ScaleMode::TwoMin ? 16 : 32;
    for (int k = 0; k < t.block_cols; k++) {
        const int part = k / part_cols;
        const float part_scale = t.sub_at >= 0 ? scale * static_cast<float>(block.sub_scale[part]) : scale;
        const int value = table ? table[block.code[k]] : block.code[k] - t.offset;
        float product = static_cast<float>(value) * part_scale;
        if (t.min_at >= 0) {
            if (t.sub_at >= 0) product = product - min * static_cast<float>(block.sub_min[part]);
            else product = product + min;
        }
        out[k] = product;
    }
}

}  // namespace aifabrik
