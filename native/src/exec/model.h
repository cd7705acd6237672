// A program ready to run: operations with resolved buffers, packed weights, cache, activations and the team.
#pragma once
#include <aifabrik/matmul.h>

#include <memory>
#include <deque>
#include <stdexcept>
#include <string>
#include <vector>

#include "aifabrik.h"
#include "exec/isa.h"
#include "memory/pages.h"
#include "team/team.h"

namespace aifabrik {

// AiFabrik.Compute.Programs.OpKind.
enum class OpKind : int32_t {
    Embed = 0, RmsNorm = 1, MatMul = 2, RopeStoreKv = 3, Attention = 4, ActMul = 5, SelectRows = 6, Softcap = 7,
    MoeRoute = 8, MoeGateUp = 9, MoeDown = 10,
};
constexpr int kOpKinds = 11;

enum class BufferRows : int32_t { Tokens = 0, TokenExperts = 1, Logits = 2 };

// A program that can't be run; what() is one sentence without content.
struct BuildError : std::runtime_error {
    BuildError(int32_t status_, const std::string& message) : std::runtime_error(message), status(status_) {}
    int32_t status;
};

// One thread's share of a packed matrix: units [begin, end), where a unit is a group of 16 rows, or a gate and up pair of them.
struct Shard {
    const uint8_t* packed = nullptr;   // expert 0
    size_t expert_stride = 0;
    int begin = 0, end = 0;
};

// One packed matrix (or gate and up pair) of a product.
struct Part {
    WeightType type;
    ActFamily family;
    const TypeKernels* kernels;
    int rows, cols, experts;
    int unit_groups;                   // 2 for a gated pair
    size_t group_bytes;
    int column;                        // where its rows begin in an output row
    const float* bias = nullptr;       // [experts][rows]
    const float* bias_up = nullptr;
    int weight, weight_up;             // indices in the program; weight_up -1 without a pair
    std::vector<Shard> shards;         // by thread

    int units() const { return group_count(rows); }
};

// Outputs side by side from one input.
struct Product {
    std::vector<Part> parts;
    int cols = 0;
    bool needs[kActFamilies] = {};     // families of its parts
    bool split_activation = false;     // gate and up differ in type: computed apart, then multiplied
};

struct Instruction {
    af_op op;
    OpKind kind;
    BufferRows domain;                 // Tokens or Logits: over which rows it runs
    float* in = nullptr;
    float* in2 = nullptr;
    float* out = nullptr;
    int in_cols = 0, in2_cols = 0, out_cols = 0;
    Product product;
    const float* norm0 = nullptr;
    const float* norm1 = nullptr;
    const float* sinks = nullptr;      // [n_heads]
    int attention_plan = -1;           // which way of cutting the keys (by window and KV heads)
    int rope_offset = 0;               // where its table's cosines begin in a token's row of angles
};

struct KvLayer {
    af_kv_layer def;
    uint16_t* pool = nullptr;
    size_t block_halves = 0;
};

struct RopeTable {
    int variants, frequencies, offset; // offset in a token's row of angles: cos [frequencies], then sin
    std::vector<float> inverse_frequencies, attention_factors;
};

// Distinct ways of cutting the keys of a step into pieces of work.
struct AttentionKind { int window, n_heads, n_kv_heads, head_dim; };

// Scratch of one thread.
struct ThreadScratch {
    uint8_t* acts[kActFamilies];       // kSharedPrepareMin prepared columns of each family
    uint8_t* gemm;
    float* row;                        // one row of the widest buffer
    float* attention;
    float* partial_values;             // 2 * kAttendRowsMax rows of a head
    int32_t* expert_start;             // [experts + 1]
    int32_t* expert_row;               // [rows * top_k] input row of each entry
    int32_t* expert_slot;              // [rows * top_k] output row of each entry
    float* expert_weight;              // [rows * top_k]
};

constexpr int kSharedPrepareMin = 3;   // rows from which threads share the preparation of columns instead of each doing all
constexpr int kSplitTokensMax = 64;    // tokens of a step up to which keys are split over threads
constexpr int kSplitsMax = 32;         // pieces of one sequence's keys

struct StepPlan;

class Model {
public:
    Model(const af_program& program, const af_limits& limits, const af_options& options);
    ~Model();

    void describe(af_model_info& info) const;
    bool check(const af_batch& batch) const;
    void step(const af_batch& batch);
    bool clear_blocks(int group, const int32_t* blocks, int count);
    void clear_activations();

    const int32_t* best() const { return best_; }
    float* logits() const { return logits_; }
    const double* profile() const { return profile_; }

    // Tables.
    std::vector<Instruction> instructions;
    std::vector<KvLayer> kv_layers;
    std::vector<RopeTable> rope_tables;
    std::vector<AttentionKind> attention_kinds;
    std::vector<af_weight> weights;
    std::vector<af_buffer> buffers;
    std::vector<int32_t> blocks_per_group;
    std::vector<int32_t> group_windows;   // the longest window of a group's layers; 0: all of the past
    af_limits limits{};
    int vocab_size = 0, top_k = 0, kv_groups = 0, experts_max = 0;
    int last_store = -1;               // the last operation that a step without logits needs
    int rope_row_floats = 0;

    // Where the tiles of the thread begin whose first column is `first_column`, when every thread has its own: far enough
    // behind those of lower ranks whatever products they are at.
    uint8_t* own_tiles(int first_column, int rank) const { return tiles + static_cast<size_t>(first_column / tile_columns + rank) * tile_bytes; }

    // Shared memory of a step.
    const Isa& isa;
    std::unique_ptr<Team> team;
    std::vector<float*> buffer_data;
    uint8_t* acts[kActFamilies] = {};  // by family: [rows_max] prepared columns
    size_t act_stride[kActFamilies] = {};
    uint8_t* tiles = nullptr;
    size_t tile_bytes = 0;             // of the largest tile of any product
    int tile_columns = 0;              // of the narrowest
    float* rope_rows = nullptr;        // [max_tokens][rope_row_floats]
    float* split_values = nullptr;     // [kSplitTokensMax][heads][splits][padded head]
    float* split_sums = nullptr;       // [kSplitTokensMax][heads][splits][2]: max, sum
    int splits_limit = 1, split_heads = 0, split_values_stride = 0;
    std::vector<ThreadScratch> scratch;
    int32_t* rank_best = nullptr;      // [threads][max_logit_rows]

private:
    friend class ModelBuilder;
    ContentPages activations_;
    std::vector<std::unique_ptr<ContentPages>> kv_pages_;
    std::vector<std::pair<uint8_t*, size_t>> arenas_;
    std::deque<std::vector<float>> vectors_;   // norms, biases and sinks, copied
    int32_t* best_ = nullptr;          // [max_logit_rows]
    float* logits_ = nullptr;
    int64_t packed_bytes_ = 0;
    double profile_[16] = {};
    std::unique_ptr<StepPlan> plan_;
};

}  // namespace aifabrik
