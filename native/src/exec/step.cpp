#include "exec/step.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "exec/builder.h"

namespace aifabrik {

Model::Model(const af_program& program, const af_limits& limits_, const af_options& options)
    : limits(limits_), isa(chosen_isa()), plan_(std::make_unique<StepPlan>()) {
    ModelBuilder(*this, program, options).build();
}

Model::~Model() {
    team.reset();
    for (auto& [arena, bytes] : arenas_) free_weights(arena, bytes);
}

void Model::describe(af_model_info& info) const {
    info = {};
    info.packed_bytes = packed_bytes_;
    info.activation_bytes = static_cast<int64_t>(activations_.bytes());
    if (!activations_.locked()) info.unlocked_bytes += info.activation_bytes;
    for (const auto& pages : kv_pages_) {
        info.kv_bytes += static_cast<int64_t>(pages->bytes());
        if (!pages->locked()) info.unlocked_bytes += static_cast<int64_t>(pages->bytes());
    }
    info.threads = team->size();
    for (const Instruction& i : instructions)
        for (const Part& p : i.product.parts) {
            if (p.family == ActFamily::Int8) info.activations_are_int8 = 1;
            if (p.family == ActFamily::Bfloat16) info.activations_are_bf16 = 1;
        }
}

// A batch is made by the scheduler, not by a client: this catches mistakes before they become stray reads.
bool Model::check(const af_batch& b) const {
    if (b.token_count <= 0 || b.token_count > limits.max_tokens || b.sequence_count <= 0 || b.sequence_count > limits.max_sequences) return false;
    if (b.logit_row_count < 0 || b.logit_row_count > limits.max_logit_rows || b.query_start[0] != 0) return false;
    for (int s = 0; s < b.sequence_count; s++) {
        const int begin = b.query_start[s], end = b.query_start[s + 1];
        if (end <= begin || end > b.token_count || b.context_len[s] < end - begin) return false;
        if (b.context_len[s] > static_cast<int64_t>(limits.max_blocks_per_sequence) * limits.block_size) return false;
        for (const RopeTable& t : rope_tables) if (b.rope_variant[s] < 0 || (t.variants > 1 && b.rope_variant[s] >= t.variants)) return false;
        for (int t = begin; t < end; t++) if (b.positions[t] != b.context_len[s] - (end - t)) return false;
        for (int g = 0; g < kv_groups; g++) {
            const int32_t* table = b.block_tables + (static_cast<size_t>(g) * limits.max_sequences + s) * limits.max_blocks_per_sequence;
            const int oldest = group_windows[g] > 0 ? std::max(0, b.positions[begin] - group_windows[g] + 1) : 0;
            for (int n = oldest / limits.block_size; n * limits.block_size < b.context_len[s]; n++) if (table[n] < 0 || table[n] >= blocks_per_group[g]) return false;
            for (int t = begin; t < end; t++) {
                const int slot = b.slots[static_cast<size_t>(g) * limits.max_tokens + t];
                if (slot < 0 || slot / limits.block_size >= blocks_per_group[g]) return false;
            }
        }
    }
    if (b.query_start[b.sequence_count] != b.token_count) return false;
    for (int r = 0; r < b.logit_row_count; r++) if (b.logit_rows[r] < 0 || b.logit_rows[r] >= b.token_count) return false;
    for (const Instruction& i : instructions)
        if (i.kind == OpKind::Embed)
            for (int t = 0; t < b.token_count; t++) if (b.tokens[t] < 0 || b.tokens[t] >= weights[i.op.w0].rows) return false;
    return true;
}

void Model::step(const af_batch& batch) {
    // The team may leave a thread out at the start of a run, so the plan is made inside of it, by the caller.
    plan_->batch = &batch;
    team->run([](void* self, int rank) {
        auto* model = static_cast<Model*>(self);
        StepPlan& plan = *model->plan_;
        if (rank == 0) {
            plan.active = model->team->active();
            plan.make(*model, *plan.batch);
        }
        model->team->barrier(rank, false);
        StepWorker(*model, plan, rank).run(rank == 0 ? model->profile_ : nullptr);
    }, this);
    // Each rank has the best of its part of the vocabulary, in ascending order: the first of equal ones wins.
    for (int r = 0; r < batch.logit_row_count; r++) {
        const float* row = logits_ + static_cast<size_t>(r) * vocab_size;
        int best = rank_best[r];
        for (int rank = 1; rank < plan_->active; rank++) {
            const int other = rank_best[static_cast<size_t>(rank) * limits.max_logit_rows + r];
            if (row[other] > row[best] || row[best] != row[best]) best = other;
        }
        best_[r] = best;
    }
    plan_->batch = nullptr;
}

bool Model::clear_blocks(int group, const int32_t* blocks, int count) {
    if (group < 0 || group >= kv_groups) return false;
    for (int n = 0; n < count; n++) if (blocks[n] < 0 || blocks[n] >= blocks_per_group[group]) return false;
    for (KvLayer& layer : kv_layers) {
        if (layer.def.group != group) continue;
        for (int n = 0; n < count; n++) zero_content(layer.pool + blocks[n] * layer.block_halves, layer.block_halves * sizeof(uint16_t));
    }
    return true;
}

void Model::clear_activations() { activations_.clear(); }

RowRange StepWorker::own_rows(const Instruction& i) const {
    const DomainPlan& d = domain(i);
    if (d.by_columns) return {d.begin[rank_], d.begin[rank_ + 1]};
    return {static_cast<int>(static_cast<int64_t>(d.rows) * rank_ / plan_.active), static_cast<int>(static_cast<int64_t>(d.rows) * (rank_ + 1) / plan_.active)};
}

void StepWorker::run(double* profile) {
    using Clock = std::chrono::steady_clock;
    angles();
    const bool want_logits = plan_.logits.rows > 0;
    bool met = true;                    // nobody has written anything since the last barrier
    Clock::time_point began = Clock::now();
    for (size_t n = 0; n < model_.instructions.size(); n++) {
        const Instruction& i = model_.instructions[n];
        if (!want_logits && (i.domain == BufferRows::Logits || static_cast<int>(n) > model_.last_store)) break;
        const bool selects = i.kind == OpKind::SelectRows;
        if (selects && !met) barrier();
        execute(i);
        // By columns, rows never leave their thread; only the cache is read by all.
        met = !domain(i).by_columns || i.kind == OpKind::RopeStoreKv;
        if (met) barrier();
        if (profile) {
            const auto now = Clock::now();
            profile[static_cast<int>(i.kind)] += std::chrono::duration<double>(now - began).count();
            began = now;
        }
    }
    if (!want_logits) return;
    if (!met) barrier();
    find_best();
}

void StepWorker::execute(const Instruction& i) {
    switch (i.kind) {
    case OpKind::Embed: return embed(i);
    case OpKind::RmsNorm: return rms_norm(i);
    case OpKind::MatMul: return matmul(i);
    case OpKind::RopeStoreKv: return rope_store(i);
    case OpKind::Attention: return attention(i);
    case OpKind::ActMul: return act_mul(i);
    case OpKind::SelectRows: return select_rows(i);
    case OpKind::Softcap: return softcap(i);
    case OpKind::MoeRoute: return moe_route(i);
    case OpKind::MoeGateUp:
    case OpKind::MoeDown: return moe_product(i);
    }
}

}  // namespace aifabrik
