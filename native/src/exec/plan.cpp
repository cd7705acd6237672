#include "exec/plan.h"

#include <algorithm>
#include <cstdlib>

namespace aifabrik {
namespace {

// Tokens per thread from which taking them through all operations alone beats sharing each matrix.
constexpr int kColumnsPerThreadMin = 32;
constexpr int kPieceCost = 24;     // what beginning a piece of keys costs, in keys

}  // namespace

int split_keys_at(int position) {
    int keys = kChunkKeys;
    while (static_cast<int64_t>(keys) * kSplitsMax < static_cast<int64_t>(position) + 1) keys *= 2;
    return keys;
}

void StepPlan::make(const Model& model, const af_batch& step) {
    batch = &step;
    const int tokens_count = step.token_count;
    tokens.rows = tokens_count;
    logits.rows = step.logit_row_count;
    tokens.by_columns = active > 0 && tokens_count >= kColumnsPerThreadMin * active && active > 0 && tokens_count > 1;
    logits.by_columns = logits.rows >= kColumnsPerThreadMin * active * 2;
    split_keys = !tokens.by_columns && tokens_count <= kSplitTokensMax;
    token_of_row.resize(model.limits.max_tokens);
    row_of_token.resize(model.limits.max_tokens);
    sequence_of_token.resize(model.limits.max_tokens);
    for (int s = 0; s < step.sequence_count; s++)
        for (int t = step.query_start[s]; t < step.query_start[s + 1]; t++) sequence_of_token[t] = s;
    share_tokens(model);
    logits.begin.resize(active + 1);
    for (int r = 0; r <= active; r++) logits.begin[r] = static_cast<int>(static_cast<int64_t>(logits.rows) * r / active);
    if (split_keys) split_all_keys(model);
}

// Two blocks of tokens for every rank, the r-th and the r-th from the end: in one long prompt the cost of attention
// grows with the position, so the sums are equal.
void StepPlan::share_tokens(const Model&) {
    const int n = tokens.rows, blocks = 2 * active;
    auto block_begin = [&](int b) {
        const int at = static_cast<int>(static_cast<int64_t>(n) * b / blocks);
        return n >= 16 * blocks && b < blocks ? at / 4 * 4 : at;    // whole attention tiles
    };
    ranges.resize(active);
    tokens.begin.assign(active + 1, 0);
    int row = 0;
    for (int r = 0; r < active; r++) {
        ranges[r].clear();
        tokens.begin[r] = row;
        for (int b : {r, blocks - 1 - r}) {
            for (int t = block_begin(b); t < block_begin(b + 1); t++, row++) {
                const int token = t, s = sequence_of_token[t];
                const int at = tokens.by_columns ? row : token;
                token_of_row[at] = token;
                row_of_token[token] = at;
                auto& mine = ranges[r];
                if (!mine.empty() && mine.back().end == token && mine.back().sequence == s) mine.back().end++;
                else mine.push_back({token, token + 1, s});
            }
        }
    }
    tokens.begin[active] = row;
}

void StepPlan::split_all_keys(const Model& model) {
    const size_t kinds = model.attention_kinds.size();
    splits.resize(kinds);
    split_first.resize(kinds * kSplitTokensMax);
    split_last.resize(kinds * kSplitTokensMax);
    for (size_t k = 0; k < kinds; k++) {
        SplitPlan& plan = splits[k];
        plan.work.clear();
        plan.one_piece = true;
        for (int s = 0; s < batch->sequence_count; s++) split_sequence(model.attention_kinds[k], static_cast<int>(k), s, plan);
        balance(model.attention_kinds[k], plan);
    }
}

void StepPlan::split_sequence(const AttentionKind& kind, int kind_number, int sequence, SplitPlan& plan) {
    int begin = batch->query_start[sequence];
    const int end = batch->query_start[sequence + 1];
    while (begin < end) {
        // Tokens with pieces of one size: all of them, except where a sequence crosses a power of two.
        const int size = split_keys_at(batch->positions[begin]);
        int stop = begin + 1;
        while (stop < end && split_keys_at(batch->positions[stop]) == size) stop++;
        const int keys = batch->positions[stop - 1] + 1;
        const int oldest = kind.window > 0 ? std::max(0, batch->positions[begin] - kind.window + 1) : 0;
        const int first = oldest / size, last = (keys - 1) / size;
        for (int n = first; n <= last; n++)
            plan.work.push_back({begin, stop, sequence, n * size, std::min(keys, (n + 1) * size), n});
        for (int t = begin; t < stop; t++) {
            split_first[kind_number * kSplitTokensMax + t] = first;
            split_last[kind_number * kSplitTokensMax + t] = last;
        }
        if (last > first) plan.one_piece = false;
        begin = stop;
    }
}

void StepPlan::balance(const AttentionKind& kind, SplitPlan& plan) const {
    const int heads = kind.n_kv_heads;
    int64_t total = 0;
    auto cost = [&](const SplitWork& w) { return static_cast<int64_t>(w.key_end - w.key_begin + kPieceCost) * (w.token_end - w.token_begin); };
    for (const SplitWork& w : plan.work) total += cost(w) * heads;
    plan.begin.assign(active + 1, static_cast<int>(plan.work.size()) * heads);
    plan.begin[0] = 0;
    int64_t sum = 0;
    int rank = 1, item = 0;
    for (const SplitWork& w : plan.work) {
        for (int h = 0; h < heads; h++, item++) {
            // An item belongs to the rank in whose share its middle lies.
            while (rank < active && (sum + cost(w) / 2) * active >= total * rank) plan.begin[rank++] = item;
            sum += cost(w);
        }
    }
}

}  // namespace aifabrik
