// How one step's work is shared among the threads. Made by the caller before the team starts.
#pragma once
#include <vector>

#include "exec/model.h"

namespace aifabrik {

// How the rows of a domain are worked on.
//   by weights: every thread computes its own rows of each matrix for all columns (decode)
//   by columns: every thread takes some of the step's tokens through all operations (prefill)
struct DomainPlan {
    bool by_columns = false;
    int rows = 0;
    std::vector<int> begin;            // [active + 1] by columns: rank r has rows [begin[r], begin[r + 1])
};

// Tokens [begin, end) of the step, consecutive in one sequence.
struct TokenRange { int begin, end, sequence; };

// Keys [key_begin, key_end) for tokens [token_begin, token_end) of a sequence: piece `split` of the tokens' keys.
struct SplitWork { int token_begin, token_end, sequence, key_begin, key_end, split; };

// Decode attention: pieces of work and where each rank's share begins, counted in (piece, KV head) with heads inside.
struct SplitPlan {
    std::vector<SplitWork> work;
    std::vector<int> begin;            // [active + 1]
    bool one_piece = true;             // no token's keys are in more than one piece: nothing to merge
};

struct StepPlan {
    const af_batch* batch = nullptr;
    int active = 1;
    DomainPlan tokens, logits;
    bool split_keys = false;
    std::vector<int> token_of_row;               // row of a token buffer -> token of the batch
    std::vector<int> row_of_token;
    std::vector<int> sequence_of_token;
    std::vector<std::vector<TokenRange>> ranges; // [active] tokens of each rank, for attention by tiles
    std::vector<SplitPlan> splits;               // by attention kind
    std::vector<int> split_first, split_last;    // [kind][tokens]: pieces of a token's keys

    void make(const Model& model, const af_batch& batch);

private:
    void share_tokens(const Model& model);
    void split_all_keys(const Model& model);
    void split_sequence(const AttentionKind& kind, int kind_number, int sequence, SplitPlan& plan);
    void balance(const AttentionKind& kind, SplitPlan& plan) const;
};

// Keys in one piece of the keys of a query at `position`: a function of the position alone, so that a token's attention
// is summed in the same order whatever else the step holds.
int split_keys_at(int position);

}  // namespace aifabrik
