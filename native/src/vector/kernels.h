// Everything of a step that is not a matrix product, per instruction set: one table of plain functions.
// The kernels are written once, as templates over a vector of 16 floats (simd_*.h), and compiled in isa_*.cpp.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aifabrik {

constexpr int kPageSlots = 16;          // slots of a KV page
constexpr int kChunkKeys = 128;         // keys that share one softmax step: the unit in which attention is summed

// Values of a head in a row of V: padded, so that vectors of 16 need no tail.
constexpr int padded_head_dim(int head_dim) { return (head_dim + 15) / 16 * 16; }
// A page holds 16 slots of one KV head as fp16: K transposed [head_dim][16], then V [16][padded_head_dim].
constexpr size_t page_halves(int head_dim) { return static_cast<size_t>(kPageSlots) * (head_dim + padded_head_dim(head_dim)); }

// One KV head of one sequence.
struct KvView {
    const uint16_t* pool;          // the layer's cache: block b, head h, page p of the block at ((b * heads + h) * pages + p) * page_halves
    const int32_t* block_table;
    int32_t block_size;            // slots; a multiple of kPageSlots
    int32_t heads, head;
    int32_t head_dim;

    // Always inlined: a copy compiled for one instruction set must not serve another.
    __attribute__((always_inline)) const uint16_t* page_at(int position) const {
        const int pages = block_size / kPageSlots;
        const size_t block = static_cast<size_t>(block_table[position / block_size]);
        return pool + ((block * heads + head) * pages + position % block_size / kPageSlots) * page_halves(head_dim);
    }
};

constexpr int kAttendRowsMax = 12;

// Unnormalised softmax over some keys: largest score, sum of exp(score - max), sum of exp(score - max) * V.
struct Partial {
    float max, sum;
    float* values;                 // [padded_head_dim], 64-byte aligned
};

// rows queries against keys [key_begin, key_end) of one KV head; key_begin is a multiple of kChunkKeys.
// Row r sees keys j with position[r] - window < j <= position[r] (window 0: all up to position[r]).
// Every chunk of keys is summed on its own and merged into the row's partial in order, so a row's result depends on
// nothing but its own query, position and keys.
struct AttendCall {
    KvView kv;
    int rows;                                 // 1 .. tile_rows
    const float* query[kAttendRowsMax];       // [head_dim]
    int32_t position[kAttendRowsMax];
    Partial* partial[kAttendRowsMax];         // accumulated into
    float scale, softcap;
    int window;
    int key_begin, key_end;
    float* scratch;                           // attend_scratch_floats(head_dim), 64-byte aligned
    bool from_memory;                         // keys come from memory rather than cache: prefetch
};
constexpr size_t attend_scratch_floats(int head_dim) {
    return static_cast<size_t>(kAttendRowsMax) * (head_dim + kChunkKeys + padded_head_dim(head_dim));
}

struct VectorKernels {
    const char* name;
    int tile_rows;                            // rows of a full attention tile

    // out[i] (+)= x[i] / sqrt(mean(x^2) + eps) * weight[i]
    void (*rms_norm)(const float* x, const float* weight, float eps, int n, bool accumulate, float* out);
    // out = act(gate) * up; activation as Op.Activation
    void (*act_mul)(int activation, const float* gate, const float* up, int n, float* out);
    // x = cap * tanh(x / cap)
    void (*softcap)(float* x, int n, float cap);
    // Rotates the first rotary_dim values of a head. cos, sin: [rotary_dim / 2]. style as Op.RopeStyle.
    void (*rope)(float* head, const float* cos, const float* sin, int rotary_dim, int style);
    // Puts one head's key and value into a slot of its page.
    void (*store_kv)(const float* key, const float* value, int head_dim, int slot, uint16_t* page);
    void (*attend)(const AttendCall& call);
    // into = into + from, as softmax sums
    void (*merge)(Partial& into, const Partial& from, int head_dim);
    // out [head_dim] = values / sum, where sink (if not null) is one more logit without a value
    void (*finish)(const Partial& partial, const float* sink, int head_dim, float* out);
    // Position of the largest value, the first of equal ones; NaN never wins.
    int (*argmax)(const float* x, int n);
};

// Null where not compiled in. The processor is checked by the caller.
const VectorKernels* vector_kernels_generic();
const VectorKernels* vector_kernels_avx2();
const VectorKernels* vector_kernels_avx512();
const VectorKernels* vector_kernels_neon();

}  // namespace aifabrik
