// Mixture of experts: the rows of each expert are gathered by index, so that its weights are read once for all of them.
#include <algorithm>
#include <cstring>

#include "exec/step.h"

namespace aifabrik {

// Sorts rows by the experts they chose: entries of expert e are [expert_start[e], expert_start[e + 1]).
void StepWorker::list_experts(const Instruction& i, RowRange rows, int experts) {
    const int k = model_.top_k;
    int32_t* start = scratch_.expert_start;
    std::fill(start, start + experts + 1, 0);
    auto chosen = [&](int row, int j) { return std::clamp(static_cast<int>(i.in2[static_cast<size_t>(row) * i.in2_cols + j]), 0, experts - 1); };
    for (int row = rows.begin; row < rows.end; row++)
        for (int j = 0; j < k; j++) start[chosen(row, j) + 1]++;
    for (int e = 0; e < experts; e++) start[e + 1] += start[e];
    for (int row = rows.begin; row < rows.end; row++) {
        for (int j = 0; j < k; j++) {
            const int at = start[chosen(row, j)]++;
            const bool down = i.kind == OpKind::MoeDown;
            scratch_.expert_row[at] = down ? row * k + j : row;
            scratch_.expert_slot[at] = down ? row : row * k + j;
            scratch_.expert_weight[at] = i.in2[static_cast<size_t>(row) * i.in2_cols + k + j];
        }
    }
    for (int e = experts; e > 0; e--) start[e] = start[e - 1];
    start[0] = 0;
}

void StepWorker::moe_product(const Instruction& i) {
    const DomainPlan& d = domain(i);
    const bool by_columns = d.by_columns;
    const bool down = i.kind == OpKind::MoeDown;
    const RowRange own = own_rows(i), rows = by_columns ? own : RowRange{0, d.rows};
    if (rows.count() == 0) return;
    const int per_row = down ? model_.top_k : 1;
    prepare(i, {own.begin * per_row, own.end * per_row}, shared_acts(i));
    if (down && !i.op.accumulate) std::memset(i.out + static_cast<size_t>(own.begin) * i.out_cols, 0, sizeof(float) * own.count() * i.out_cols);
    if (!by_columns) barrier();
    const int experts = i.product.parts[0].experts;
    list_experts(i, rows, experts);
    for (int e = 0; e < experts; e++) {
        if (scratch_.expert_start[e] == scratch_.expert_start[e + 1]) continue;
        moe_expert(i, i.product.parts[0], e, by_columns);
    }
    if (!i.product.split_activation) return;
    // Gate and up in two types: up goes over the tiles' memory, then both are joined.
    if (!by_columns) barrier();
    moe_activate(i, rows);
}

// out = act(out) * up, where up is computed row by row into this thread's scratch. A rare path: kept simple.
void StepWorker::moe_activate(const Instruction& i, RowRange rows) {
    const Part& up = i.product.parts[1];
    const bool by_columns = domain(i).by_columns;
    const int k = model_.top_k;
    for (int row = rows.begin; row < rows.end; row++) {
        for (int j = 0; j < k; j++) {
            const int entry = row * k + j;
            if (!by_columns && entry % plan_.active != rank_) continue;
            const int e = static_cast<int>(i.in2[static_cast<size_t>(row) * i.in2_cols + j]);
            const int family = static_cast<int>(up.family);
            const size_t stride = model_.act_stride[family];
            const ActColumns x{shared_acts(i).of[family] + row * stride, stride, nullptr, 1};
            for (const Shard& s : up.shards) {
                MatmulCall call{};
                const int first = s.begin * kGroupRows;
                if (s.begin == s.end) continue;
                call.packed = s.packed + e * s.expert_stride;
                call.rows = std::min(up.rows, s.end * kGroupRows) - first;
                call.cols = up.cols;
                call.y = scratch_.row + first;
                call.ldy = up.rows;
                call.epilogue.bias = up.bias ? up.bias + static_cast<size_t>(e) * up.rows + first : nullptr;
                up.kernels->gemv(call, x, 0, s.end - s.begin);
            }
            float* gate = i.out + static_cast<size_t>(entry) * i.out_cols;
            vec_.act_mul(i.op.activation, gate, scratch_.row, i.out_cols, gate);
        }
    }
}

void StepWorker::moe_expert(const Instruction& i, const Part& p, int expert, bool all_shards) {
    const int first_entry = scratch_.expert_start[expert], count = scratch_.expert_start[expert + 1] - first_entry;
    const size_t stride = model_.act_stride[static_cast<int>(p.family)];
    const uint8_t* acts = shared_acts(i).of[static_cast<int>(p.family)];
    const bool down = i.kind == OpKind::MoeDown;
    const bool by_tiles = all_shards && count >= kGemmColumnsMin;
    const TypeKernels& k = *p.kernels;
    uint8_t* tiles = nullptr;
    if (by_tiles) {
        tiles = model_.own_tiles(plan_.tokens.begin[rank_] * model_.top_k, rank_);
        k.pack_tiles(p.cols, {acts, stride, scratch_.expert_row + first_entry, count}, 0, tile_count(count, k.tile_columns), tiles);
    }
    const int passes = (count + kGemvColumnsMax - 1) / kGemvColumnsMax;
    for (size_t n = all_shards ? 0 : rank_; n < p.shards.size(); n += all_shards ? 1 : plan_.active) {
        const Shard& s = p.shards[n];
        if (s.begin == s.end) continue;
        const int first = s.begin * kGroupRows, groups = (s.end - s.begin) * p.unit_groups;
        MatmulCall call{};
        call.packed = s.packed + expert * s.expert_stride;
        call.rows = std::min(p.rows, s.end * kGroupRows) - first;
        call.cols = p.cols;
        call.y = i.out + first;
        call.ldy = i.out_cols;
        if (p.bias) call.epilogue.bias = p.bias + static_cast<size_t>(expert) * p.rows + first;
        if (p.bias_up) call.epilogue.bias_up = p.bias_up + static_cast<size_t>(expert) * p.rows + first;
        call.epilogue.accumulate = down;
        if (p.unit_groups == 2) call.epilogue.gated = static_cast<GatedActivation>(i.op.activation);
        const float* weights = scratch_.expert_weight + first_entry;
        const int32_t* slots = scratch_.expert_slot + first_entry;
        if (by_tiles) {
            call.epilogue.column_index = slots;
            call.epilogue.column_scale = down ? weights : nullptr;
            k.gemm(call, tiles, count, 0, groups, scratch_.gemm);
            continue;
        }
        for (int pass = 0; pass < passes; pass++) {
            const int c0 = count * pass / passes, c1 = count * (pass + 1) / passes;
            call.epilogue.column_index = slots + c0;
            call.epilogue.column_scale = down ? weights + c0 : nullptr;
            k.gemv(call, {acts, stride, scratch_.expert_row + first_entry + c0, c1 - c0}, 0, groups);
        }
    }
}

}  // namespace aifabrik
