// Matrix products: y[c][row] = sum_k W[row][k] * x[c][k] for every weight type of the file format.
//
// Life of a matrix:   pack_groups (load time)  ->  gemv (1..16 columns) or pack_tiles + gemm (many columns)
// Life of a column:   prepare_act (float32 -> what the weight type multiplies with)  ->  gemv, or pack_tiles
//
// Everything is cut in groups of 16 rows. A thread is given groups [group_begin, group_end) of a matrix and writes
// nothing but these rows of y, so threads need no agreement beyond the barrier before and after. Nothing here
// allocates, locks or keeps state; scratch memory comes from the caller.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aifabrik {

// ggml's own numbers: they are the file format's.
enum class WeightType : int32_t {
    F32 = 0, F16 = 1, Q4_0 = 2, Q4_1 = 3, Q5_0 = 6, Q5_1 = 7, Q8_0 = 8,
    Q2_K = 10, Q3_K = 11, Q4_K = 12, Q5_K = 13, Q6_K = 14,
    IQ4_NL = 20, IQ4_XS = 23, BF16 = 30, MXFP4 = 39,
};
constexpr int kWeightTypeSlots = 40;   // one more than the largest number above

// Is this a weight type that can be multiplied here?
bool weight_type_known(WeightType type);
// Weights in one block of the file format: 1 (F32, F16, BF16), 32 or 256. `cols` must be a multiple of it.
int weight_block_cols(WeightType type);
// Bytes of one block in the file format.
size_t weight_block_bytes(WeightType type);
// Bytes of one row of `cols` weights in the file format.
size_t weight_row_bytes(WeightType type, int cols);

// W [rows][cols], rows one after the other, each a run of blocks of the file format.
struct MatrixShape {
    WeightType type;
    int32_t rows;
    int32_t cols;
};

// ---------------------------------------------------------------------------------------------------- packing

constexpr int kGroupRows = 16;          // rows in a group
constexpr size_t kPackedAlign = 64;     // packed matrices start on a cache line

constexpr int group_count(int rows) { return (rows + kGroupRows - 1) / kGroupRows; }

// Bytes of one packed group: whole cache lines. A packed matrix is group_count(rows) of them one after the other.
size_t packed_group_bytes(WeightType type, int cols);

// Packs groups [group_begin, group_end) of the matrix at `src` (row r at src + r * row_stride_bytes). Group g goes to
// dst + g * dst_group_stride. Rows beyond shape.rows in the last group become zero weights. Lossless.
//
// A gated pair (gate and up of one feed-forward network, which must have the same type and shape) is packed group by
// group in turn, so that one pass has both: gate with dst = base, up with dst = base + packed_group_bytes, both with
// dst_group_stride = 2 * packed_group_bytes. Rows that alternate in the source (gate, up, gate, up) need no copy
// either: pass twice the row stride, and a source that starts one row later for up.
void pack_groups(const MatrixShape& shape, const uint8_t* src, int64_t row_stride_bytes,
                 uint8_t* dst, size_t dst_group_stride, int group_begin, int group_end);

// Row `row` of a packed matrix as float32, exactly the file's values. group_stride as in packing.
void unpack_row(WeightType type, int cols, const uint8_t* packed, size_t group_stride, int row, float* out);

// One row straight from the file's blocks: out [cols]. Rounds as the format defines it: each product and each
// difference on its own in float32.
void dequantize_row(WeightType type, const uint8_t* src, float* out, int cols);

// ---------------------------------------------------------------------------------------------------- activations

// What a weight type multiplies with.
enum class ActFamily : int32_t {
    Float32 = 0,    // F32, F16, BF16: the column as it is, padded with zeros
    Int8 = 1,       // quantised types: blocks of 32 int8 with a float32 scale and their sums
    Bfloat16 = 2,   // BF16 where the processor multiplies such pairs: rounded to nearest even, padded with zeros
};
constexpr int kActFamilies = 3;

constexpr size_t kActAlign = 64;
// Bytes of one prepared column; a multiple of kActAlign. The same for all types of a family.
size_t act_bytes(ActFamily family, int cols);

// Prepared columns of one family: column c is at base + (index ? index[c] : c) * stride. 64-byte aligned.
struct ActColumns {
    const uint8_t* base;
    size_t stride;
    const int32_t* index;   // null: columns 0, 1, 2 ...; else which prepared column is meant (experts of a mixture)
    int count;
};

// ---------------------------------------------------------------------------------------------------- products

enum class GatedActivation : int32_t {
    None = 0,      // a plain matrix
    Silu = 1,      // silu(gate) * up
    GeluTanh = 2,  // gelu(gate, tanh form) * up
    GptOss = 3,    // g = min(gate, 7); u = clamp(up, -7, 7); (u + 1) * g * sigmoid(1.702 g)
    GeluErf = 4,   // gelu(gate, erf form) * up
    Relu = 5,      // max(gate, 0) * up
};

// What happens to a sum before it is stored: v = (sum + bias[row]) * scale * column_scale[c]; y = v, or y += v.
// Gated: bias first, then v = activation(gate, up), then as above.
struct Epilogue {
    const float* bias = nullptr;           // [rows], or null; gated: of the gate
    const float* bias_up = nullptr;        // [rows], or null; gated only
    const float* column_scale = nullptr;   // [count], or null (an expert's share)
    const int32_t* column_index = nullptr; // null: column c of y; else column c goes to column column_index[c] of y
    float scale = 1.0f;
    GatedActivation gated = GatedActivation::None;
    bool accumulate = false;               // add to y (residual)
};

// A packed matrix and where its product goes.
struct MatmulCall {
    const uint8_t* packed;   // group 0
    int32_t rows;            // rows of y; gated: rows of gate (and of up)
    int32_t cols;
    float* y;                // y[c * ldy + row]
    int64_t ldy;
    Epilogue epilogue;
};

constexpr int kGemvColumnsMax = 16;

// The kernels of one weight type. Groups are packed groups [group_begin, group_end) of call.packed, taken one after
// the other; for a gated pair they are numbered 0 .. 2 * group_count(rows), and both ends must be even.
//
// A column's product is the same bits from gemv and from gemm, whatever the number of columns beside it: every kernel
// of a type adds the products of an element in the same order with the same roundings.
struct TypeKernels {
    // What it multiplies with on this instruction set.
    ActFamily family;

    // Decode: 1..16 columns, reads each weight once. Cheap to call (no set-up).
    void (*gemv)(const MatmulCall& call, const ActColumns& x, int group_begin, int group_end);

    // Prefill. Tiles are the columns rearranged for gemm: tile t holds columns t * tile_columns and following.
    // pack_tiles fills tiles [tile_begin, tile_end) (threads share this, then a barrier); dst is the whole array.
    int tile_columns;
    size_t (*tile_bytes)(int cols);
    void (*pack_tiles)(int cols, const ActColumns& x, int tile_begin, int tile_end, uint8_t* dst);
    // Multiplies `count` columns, given as tiles. `scratch`: gemm_scratch_bytes, 64-byte aligned, this thread's own.
    // A thread may also take part of the columns: pass the address of its first tile, its own y, and its count.
    size_t (*gemm_scratch_bytes)(int cols, int count);
    void (*gemm)(const MatmulCall& call, const uint8_t* tiles, int count, int group_begin, int group_end, uint8_t* scratch);
};

// Tiles that `count` columns need.
constexpr int tile_count(int count, int tile_columns) { return (count + tile_columns - 1) / tile_columns; }

// Columns from which pack_tiles + gemm is faster than passes of gemv (measured; see src/matmul/README.md).
constexpr int kGemmColumnsMin = 48;

// All kernels of one instruction set.
struct MatmulKernels {
    const char* name;   // "generic", "avx2", "avx2+vnni", "avx512", "avx512+bf16", "neon"
    // Prepares one column x [cols] for a family. act: act_bytes(family, cols), 64-byte aligned.
    void (*prepare_act)(ActFamily family, const float* x, int cols, uint8_t* act);
    // The same in part, blocks of 32 columns [block_begin, block_end), for threads that share one column. The last
    // block (block_end = (cols + 31) / 32) also fills the padding.
    void (*prepare_act_blocks)(ActFamily family, const float* x, int cols, int block_begin, int block_end, uint8_t* act);
    TypeKernels types[kWeightTypeSlots];   // indexed by WeightType; unknown numbers have null pointers

    const TypeKernels& of(WeightType type) const { return types[static_cast<int>(type)]; }
};

// Null where the instruction set is not compiled in or the processor (or its operating system) lacks it.
const MatmulKernels* kernels_generic();
const MatmulKernels* kernels_avx2();
const MatmulKernels* kernels_avx2_vnni();
const MatmulKernels* kernels_avx512();
const MatmulKernels* kernels_neon();
// The best of them on this processor; never null.
const MatmulKernels* kernels_best();

}  // namespace aifabrik
