// Attention of a step. Few tokens: the keys of each sequence are cut in pieces that all threads share, and the pieces
// are merged afterwards. Many tokens: each thread attends for its own, a tile of queries at a time.
// Both sum a query's keys in the same pieces and the same order (split_keys_at), so both give the same bits.
#include <algorithm>
#include <cmath>

#include "exec/step.h"

namespace aifabrik {

AttendCall StepWorker::attend_call(const Instruction& i, int sequence, int kv_head) const {
    const KvLayer& layer = model_.kv_layers[i.op.layer];
    const af_limits& l = model_.limits;
    AttendCall call{};
    call.kv.pool = layer.pool;
    call.kv.block_table = plan_.batch->block_tables + (static_cast<size_t>(layer.def.group) * l.max_sequences + sequence) * l.max_blocks_per_sequence;
    call.kv.block_size = l.block_size;
    call.kv.heads = i.op.n_kv_heads;
    call.kv.head = kv_head;
    call.kv.head_dim = i.op.head_dim;
    call.scale = i.op.scale;
    call.softcap = i.op.softcap;
    call.window = i.op.window;
    call.scratch = scratch_.attention;
    return call;
}

void StepWorker::attention(const Instruction& i) {
    if (!plan_.split_keys) {
        for (const TokenRange& range : plan_.ranges[rank_]) attend_tokens(i, range);
        return;
    }
    const SplitPlan& plan = plan_.splits[i.attention_plan];
    const int heads = i.op.n_kv_heads;
    for (int item = plan.begin[rank_]; item < plan.begin[rank_ + 1]; item++) attend_split(i, plan.work[item / heads], item % heads);
    barrier();
    merge_splits(i);
}

// One piece of keys for one KV head: every query of the piece leaves a partial result.
void StepWorker::attend_split(const Instruction& i, const SplitWork& work, int kv_head) {
    AttendCall call = attend_call(i, work.sequence, kv_head);
    call.key_begin = work.key_begin;
    call.from_memory = true;
    const int group = i.op.n_heads / i.op.n_kv_heads;
    const int rows = (work.token_end - work.token_begin) * group;
    Partial partials[kAttendRowsMax];
    for (int first = 0; first < rows; first += vec_.tile_rows) {
        call.rows = std::min(vec_.tile_rows, rows - first);
        int newest = 0;
        for (int r = 0; r < call.rows; r++) {
            const int token = work.token_begin + (first + r) / group, head = kv_head * group + (first + r) % group;
            const size_t at = (static_cast<size_t>(token) * model_.split_heads + head) * model_.splits_limit + work.split;
            call.query[r] = i.in + static_cast<size_t>(token) * i.in_cols + static_cast<size_t>(head) * i.op.head_dim;
            call.position[r] = plan_.batch->positions[token];
            newest = std::max(newest, call.position[r]);
            partials[r] = {-INFINITY, 0.0f, model_.split_values + at * model_.split_values_stride};
            call.partial[r] = &partials[r];
        }
        call.key_end = std::min(work.key_end, newest + 1);
        if (call.key_end > call.key_begin) vec_.attend(call);
        for (int r = 0; r < call.rows; r++) {
            const int token = work.token_begin + (first + r) / group, head = kv_head * group + (first + r) % group;
            float* sums = model_.split_sums + ((static_cast<size_t>(token) * model_.split_heads + head) * model_.splits_limit + work.split) * 2;
            sums[0] = partials[r].max;
            sums[1] = partials[r].sum;
        }
    }
}

void StepWorker::merge_splits(const Instruction& i) {
    const int heads = i.op.n_heads;
    const int64_t items = static_cast<int64_t>(plan_.tokens.rows) * heads;
    const int* first = plan_.split_first.data() + i.attention_plan * kSplitTokensMax;
    const int* last = plan_.split_last.data() + i.attention_plan * kSplitTokensMax;
    for (int64_t n = items * rank_ / plan_.active; n < items * (rank_ + 1) / plan_.active; n++) {
        const int token = static_cast<int>(n / heads), head = static_cast<int>(n % heads);
        const size_t at = (static_cast<size_t>(token) * model_.split_heads + head) * model_.splits_limit;
        Partial total{-INFINITY, 0.0f, scratch_.partial_values};
        for (int s = first[token]; s <= last[token]; s++) {
            const float* sums = model_.split_sums + (at + s) * 2;
            vec_.merge(total, {sums[0], sums[1], model_.split_values + (at + s) * model_.split_values_stride}, i.op.head_dim);
        }
        vec_.finish(total, i.sinks ? i.sinks + head : nullptr, i.op.head_dim,
                    i.out + static_cast<size_t>(token) * i.out_cols + static_cast<size_t>(head) * i.op.head_dim);
    }
}

// All heads for tokens of one sequence, KV head by KV head: its keys stay in cache from one tile to the next.
void StepWorker::attend_tokens(const Instruction& i, const TokenRange& range) {
    const int group = i.op.n_heads / i.op.n_kv_heads;
    const int rows = (range.end - range.begin) * group;
    for (int h = 0; h < i.op.n_kv_heads; h++) {
        int first = 0;
        while (first < rows) {
            // A tile's rows all have pieces of one size.
            const int size = split_keys_at(plan_.batch->positions[range.begin + first / group]);
            int count = 1;
            while (count < vec_.tile_rows && first + count < rows && split_keys_at(plan_.batch->positions[range.begin + (first + count) / group]) == size) count++;
            attend_tile(i, range, h, first, count);
            first += count;
        }
    }
}

void StepWorker::attend_tile(const Instruction& i, const TokenRange& range, int kv_head, int first, int rows) {
    AttendCall call = attend_call(i, range.sequence, kv_head);
    const int group = i.op.n_heads / i.op.n_kv_heads, stride = model_.split_values_stride;
    call.rows = rows;
    Partial totals[kAttendRowsMax], pieces[kAttendRowsMax];
    int newest = 0, oldest = INT32_MAX;
    for (int r = 0; r < rows; r++) {
        const int token = range.begin + (first + r) / group, head = kv_head * group + (first + r) % group;
        call.query[r] = i.in + static_cast<size_t>(plan_.row_of_token[token]) * i.in_cols + static_cast<size_t>(head) * i.op.head_dim;
        call.position[r] = plan_.batch->positions[token];
        newest = std::max(newest, call.position[r]);
        oldest = std::min(oldest, call.position[r]);
        totals[r] = {-INFINITY, 0.0f, scratch_.partial_values + static_cast<size_t>(r) * stride};
        pieces[r] = {-INFINITY, 0.0f, scratch_.partial_values + static_cast<size_t>(kAttendRowsMax + r) * stride};
    }
    const int size = split_keys_at(newest);
    const int from = i.op.window > 0 ? std::max(0, oldest - i.op.window + 1) : 0;
    if (size == kChunkKeys) {
        for (int r = 0; r < rows; r++) call.partial[r] = &totals[r];
        call.key_begin = from / kChunkKeys * kChunkKeys;
        call.key_end = newest + 1;
        vec_.attend(call);
    } else {
        for (int r = 0; r < rows; r++) call.partial[r] = &pieces[r];
        for (int key = from / size * size; key <= newest; key += size) {
            for (int r = 0; r < rows; r++) { pieces[r].max = -INFINITY; pieces[r].sum = 0.0f; }
            call.key_begin = key;
            call.key_end = std::min(newest + 1, key + size);
            vec_.attend(call);
            for (int r = 0; r < rows; r++) vec_.merge(totals[r], pieces[r], i.op.head_dim);
        }
    }
    for (int r = 0; r < rows; r++) {
        const int token = range.begin + (first + r) / group, head = kv_head * group + (first + r) % group;
        vec_.finish(totals[r], i.sinks ? i.sinks + head : nullptr, i.op.head_dim,
                    i.out + static_cast<size_t>(plan_.row_of_token[token]) * i.out_cols + static_cast<size_t>(head) * i.op.head_dim);
    }
}

}  // namespace aifabrik
