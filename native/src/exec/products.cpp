// Matrix products with what was fused into them: the norm before, activation, bias and residual after.
#include <algorithm>

#include "exec/step.h"

namespace aifabrik {
namespace {

constexpr size_t kPassBytes = 96 << 10;   // weights that several passes over columns read from the second-level cache

GatedActivation gated(int activation) {
    switch (activation) {
    case 1: return GatedActivation::Silu;
    case 2: return GatedActivation::GeluTanh;
    case 3: return GatedActivation::GptOss;
    default: return GatedActivation::None;
    }
}

}  // namespace

StepWorker::Acts StepWorker::shared_acts(const Instruction& i) const {
    size_t shift = 0;
    if (i.kind != OpKind::MoeDown && i.domain == BufferRows::Tokens && plan_.tokens.by_columns && model_.top_k > 1)
        shift = static_cast<size_t>(plan_.tokens.begin[rank_]) * (model_.top_k - 1);
    Acts acts;
    for (int f = 0; f < kActFamilies; f++) acts.of[f] = model_.acts[f] + shift * model_.act_stride[f];
    return acts;
}

void StepWorker::prepare(const Instruction& i, RowRange rows, Acts acts) {
    for (int row = rows.begin; row < rows.end; row++) {
        const float* x = i.in + static_cast<size_t>(row) * i.in_cols;
        if (i.norm0) {
            vec_.rms_norm(x, i.norm0, i.op.eps, i.in_cols, false, scratch_.row);
            x = scratch_.row;
        }
        for (int f = 0; f < kActFamilies; f++)
            if (i.product.needs[f]) model_.isa.matmul->prepare_act(static_cast<ActFamily>(f), x, i.in_cols, acts.of[f] + row * model_.act_stride[f]);
    }
}

void StepWorker::matmul(const Instruction& i) {
    const DomainPlan& d = domain(i);
    const Acts shared = shared_acts(i);
    if (d.by_columns) {
        const RowRange rows = own_rows(i);
        if (rows.count() == 0) return;
        prepare(i, rows, shared);
        if (rows.count() >= kGemmColumnsMin) multiply_tiles(i, rows, true);
        else multiply_passes(i, rows, shared, true);
        return;
    }
    const RowRange all{0, d.rows};
    if (d.rows < kSharedPrepareMin) {
        Acts own;
        std::copy(scratch_.acts, scratch_.acts + kActFamilies, own.of);
        prepare(i, all, own);
        return multiply_passes(i, all, own, false);
    }
    prepare(i, own_rows(i), shared);
    barrier();
    if (d.rows >= kGemmColumnsMin) multiply_tiles(i, all, false);
    else multiply_passes(i, all, shared, false);
}

namespace {

// The call for one shard: its rows as a matrix of their own.
MatmulCall shard_call(const Instruction& i, const Part& p, const Shard& s, float* y) {
    MatmulCall call{};
    const int first = s.begin * kGroupRows;
    call.packed = s.packed;
    call.rows = std::min(p.rows, s.end * kGroupRows) - first;
    call.cols = p.cols;
    call.y = y + p.column + first;
    call.ldy = i.out_cols;
    call.epilogue.bias = p.bias ? p.bias + first : nullptr;
    call.epilogue.bias_up = p.bias_up ? p.bias_up + first : nullptr;
    call.epilogue.accumulate = i.op.accumulate != 0;
    if (p.unit_groups == 2) call.epilogue.gated = gated(i.op.activation);
    return call;
}

}  // namespace

// Passes of up to 16 columns. More columns: block after block of weights, so that only the first pass reads memory.
void StepWorker::multiply_passes(const Instruction& i, RowRange rows, Acts from, bool all_shards) {
    const int passes = (rows.count() + kGemvColumnsMax - 1) / kGemvColumnsMax;
    for (const Part& p : i.product.parts) {
        const size_t stride = model_.act_stride[static_cast<int>(p.family)];
        const uint8_t* acts = from.of[static_cast<int>(p.family)] + rows.begin * stride;
        const int step = all_shards ? 1 : plan_.active;
        for (size_t n = all_shards ? 0 : rank_; n < p.shards.size(); n += step) {
            const Shard& s = p.shards[n];
            if (s.begin == s.end) continue;
            MatmulCall call = shard_call(i, p, s, nullptr);
            const int groups = (s.end - s.begin) * p.unit_groups;
            const int block = passes == 1 ? groups : std::max<int>(2, static_cast<int>(kPassBytes / p.group_bytes) & ~1);
            float* y = i.out + static_cast<size_t>(rows.begin) * i.out_cols + p.column + s.begin * kGroupRows;
            for (int g = 0; g < groups; g += block) {
                for (int pass = 0; pass < passes; pass++) {
                    const int c0 = rows.count() * pass / passes, c1 = rows.count() * (pass + 1) / passes;
                    call.y = y + static_cast<size_t>(c0) * i.out_cols;
                    p.kernels->gemv(call, {acts + c0 * stride, stride, nullptr, c1 - c0}, g, std::min(groups, g + block));
                }
            }
        }
    }
}

void StepWorker::multiply_tiles(const Instruction& i, RowRange rows, bool all_shards) {
    const Acts from = shared_acts(i);
    void (*packed_by)(int, const ActColumns&, int, int, uint8_t*) = nullptr;
    for (const Part& p : i.product.parts) {
        const size_t stride = model_.act_stride[static_cast<int>(p.family)];
        const TypeKernels& k = *p.kernels;
        const int count = rows.count(), n_tiles = tile_count(count, k.tile_columns);
        uint8_t* tiles = all_shards ? model_.own_tiles(rows.begin, rank_) : model_.tiles;
        if (packed_by != k.pack_tiles) {
            const ActColumns x{from.of[static_cast<int>(p.family)] + rows.begin * stride, stride, nullptr, count};
            if (all_shards) {
                k.pack_tiles(p.cols, x, 0, n_tiles, tiles);
            } else {
                if (packed_by) barrier();     // others may still read the tiles of the part before
                k.pack_tiles(p.cols, x, n_tiles * rank_ / plan_.active, n_tiles * (rank_ + 1) / plan_.active, tiles);
                barrier();
            }
            packed_by = k.pack_tiles;
        }
        const int step = all_shards ? 1 : plan_.active;
        for (size_t n = all_shards ? 0 : rank_; n < p.shards.size(); n += step) {
            const Shard& s = p.shards[n];
            if (s.begin == s.end) continue;
            const MatmulCall call = shard_call(i, p, s, i.out + static_cast<size_t>(rows.begin) * i.out_cols);
            k.gemm(call, tiles, count, 0, (s.end - s.begin) * p.unit_groups, scratch_.gemm);
        }
    }
}

}  // namespace aifabrik
