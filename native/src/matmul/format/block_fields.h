// One block of the file, taken apart: the step between the file's layout, the packed record and float32.
#pragma once
#include "weight_traits.h"

namespace aifabrik {

struct BlockFields {
    uint8_t code[256];    // as stored, before offset or table; Q8_0: value + 128
    uint16_t scale;       // float16 bits (MXFP4: exponent)
    uint16_t min;         // float16 bits of the (super-block's) minimum
    int8_t sub_scale[16]; // scales of parts: 8 parts of 32 or 16 parts of 16 columns, with their bias taken off
    uint8_t sub_min[16];
};

// Takes the block at `src` of the file apart.
void read_block(WeightType type, const uint8_t* src, BlockFields& out);
// Its values: out [block_cols], rounding each product and difference in float32.
void block_values(WeightType type, const BlockFields& block, float* out);

// Row `row` of the record at `record` (record_bytes, zeroed before the first row): block `block` of the file's blocks
// that a record holds.
void put_in_record(WeightType type, const BlockFields& fields, int row, int block, uint8_t* record);
void take_from_record(WeightType type, const uint8_t* record, int row, int block, BlockFields& out);

}  // namespace aifabrik
