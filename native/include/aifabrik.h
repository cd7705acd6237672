/* Flat C interface of libaifabrik_native. One program executor on one thread team; memory for content.
 *
 * Status: every function that can fail returns an af_status; af_last_error() has the sentence that goes with it.
 * Threads: a model is used by one thread at a time, which takes part in the work as thread 0 of the team.
 * Ownership: af_model_create copies what it needs of the program's tables; only the weight data (af_weight.data) must
 * stay readable for as long as the model lives, because embedding rows are read from it.
 */
#ifndef AIFABRIK_H
#define AIFABRIK_H
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define AF_EXPORT __attribute__((visibility("default")))
#define AF_ABI_VERSION 1

typedef enum af_status {
    AF_OK = 0,
    AF_INVALID_ARGUMENT = 1, /* a null pointer, a size out of range: the caller's mistake */
    AF_INVALID_PROGRAM = 2,  /* an operation that refers to what is not there, or whose shapes disagree */
    AF_OUT_OF_MEMORY = 3,
    AF_INVALID_BATCH = 4     /* a step whose counts exceed the limits or whose blocks do not exist */
} af_status;

/* AiFabrik.Compute.Programs.Op, field by field; that file says what every operation means. */
typedef struct af_op {
    int32_t kind, input, input2, output;
    int32_t w0, w1, w2, b0, b1, b2, norm0, norm1;
    int32_t layer, n_heads, n_kv_heads, head_dim, rotary_dim, rope_style, rope_table, window;
    int32_t top_k, renormalize, accumulate, activation;
    float eps, scale, softcap;
} af_op;

/* Row r of expert e: data + e * expert_stride_bytes + r * row_stride_bytes. type: ggml's numbers. */
typedef struct af_weight {
    int32_t type, rows, cols, experts;
    const void* data;
    int64_t row_stride_bytes, expert_stride_bytes;
} af_weight;

/* rows: 0 one per token, 1 one per token and chosen expert, 2 one per logit row. float32 [rows][cols]. */
typedef struct af_buffer { int32_t rows, cols; } af_buffer;
typedef struct af_kv_layer { int32_t n_kv_heads, head_dim, group; } af_kv_layer;

/* inverse_frequencies: [variants][frequencies], attention_factors: [variants]. */
typedef struct af_rope_table {
    int32_t variants, frequencies;
    const float* inverse_frequencies;
    const float* attention_factors;
} af_rope_table;

typedef struct af_program {
    const af_op* ops;
    const af_weight* weights;
    const af_buffer* buffers;
    const af_rope_table* rope_tables;
    const af_kv_layer* kv_layers;
    int32_t op_count, weight_count, buffer_count, rope_table_count, kv_layer_count, kv_group_count;
    int32_t vocab_size, top_k, logits_buffer;
} af_program;

/* As AiFabrik.Compute.Programs.StepLimits. blocks_per_group: [kv_group_count]. */
typedef struct af_limits {
    const int32_t* blocks_per_group;
    int32_t max_tokens, max_sequences, max_logit_rows, block_size, max_blocks_per_sequence;
} af_limits;

typedef struct af_options {
    int32_t threads;            /* 0: one per physical core that this process may use */
    int32_t pin_threads;        /* nonzero: each worker keeps to a core of its own, and there are at most as many as processors */
    volatile int64_t* progress; /* may be null: bytes packed so far, of af_model_info.packed_bytes; written during create */
} af_options;

typedef struct af_model_info {
    int64_t packed_bytes, kv_bytes, activation_bytes;
    int64_t unlocked_bytes;     /* bytes of content memory that the system refused to lock */
    int32_t threads;
    int32_t activations_are_int8; /* nonzero: some product rounds its activations to 8 bits */
    int32_t activations_are_bf16; /* nonzero: some product rounds its activations to bf16 */
} af_model_info;

/* As AiFabrik.Compute.Programs.StepBatch; every array has the length that the limits give it. */
typedef struct af_batch {
    const int32_t* tokens;       /* [max_tokens] */
    const int32_t* positions;    /* [max_tokens] */
    const int32_t* slots;        /* [kv_groups][max_tokens] */
    const int32_t* query_start;  /* [max_sequences + 1] */
    const int32_t* context_len;  /* [max_sequences] */
    const int32_t* rope_variant; /* [max_sequences] */
    const int32_t* block_tables; /* [kv_groups][max_sequences][max_blocks_per_sequence] */
    const int32_t* logit_rows;   /* [max_logit_rows] */
    int32_t token_count, sequence_count, logit_row_count;
} af_batch;

typedef struct af_model af_model;

AF_EXPORT int32_t af_abi_version(void);
/* The last failure of the calling thread, as one sentence; "" if there was none. Never contains content. */
AF_EXPORT const char* af_last_error(void);
/* "generic", "avx2", "avx512", "neon" with the extras in use; the environment variable AIFABRIK_ISA forces one. */
AF_EXPORT const char* af_isa_name(void);
/* Physical cores that the affinity mask and the control group leave to this process, at least 1. */
AF_EXPORT int32_t af_default_threads(void);

/* ---- models */
AF_EXPORT int32_t af_model_create(const af_program* program, const af_limits* limits, const af_options* options, af_model** model);
AF_EXPORT void af_model_destroy(af_model* model);
AF_EXPORT void af_model_describe(const af_model* model, af_model_info* info);
/* Runs the program once over the batch. */
AF_EXPORT int32_t af_model_step(af_model* model, const af_batch* batch);
/* [max_logit_rows] best token of each logit row of the last step; ties to the lowest id. */
AF_EXPORT const int32_t* af_model_best(const af_model* model);
/* [max_logit_rows][vocab_size] logits of the last step. */
AF_EXPORT float* af_model_logits(af_model* model);
AF_EXPORT int32_t af_model_clear_blocks(af_model* model, int32_t group, const int32_t* blocks, int32_t count);
AF_EXPORT void af_model_clear_activations(af_model* model);
/* seconds[16]: time spent in each kind of operation since the model was made (thread 0, waiting included). */
AF_EXPORT void af_model_profile(const af_model* model, double* seconds);

/* ---- measuring */
/* Read bandwidth in bytes per second over a buffer of `bytes`, the median of some passes of `threads` threads. */
AF_EXPORT double af_measure_read_bandwidth(int32_t threads, int64_t bytes);

/* ---- memory for content: page-aligned, zeroed, locked, not dumped, not inherited. */
typedef enum af_page_refusal {
    AF_REFUSED_LOCK = 1,
    AF_REFUSED_DONTDUMP = 2,
    AF_REFUSED_WIPEONFORK = 4
} af_page_refusal;
/* Null when there is no memory. refused: bits of af_page_refusal for what the system did not grant; may be null. */
AF_EXPORT void* af_pages_allocate(int64_t bytes, int32_t* refused);
/* Zeroes, then unmaps. */
AF_EXPORT void af_pages_free(void* pages, int64_t bytes);
/* Zeroes; no optimiser removes it. */
AF_EXPORT void af_pages_zero(void* memory, int64_t bytes);

#ifdef __cplusplus
}
#endif
#endif
