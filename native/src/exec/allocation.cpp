// Everything that steps write: activations, scratch, cache. All of it is content.
#include <algorithm>

#include "exec/builder.h"

namespace aifabrik {
namespace {

// Hands out parts of one region: the first pass counts, the second gives addresses.
class Carver {
public:
    explicit Carver(uint8_t* base) : base_(base) {}
    template <class T> void take(T*& out, size_t count) {
        used_ = (used_ + 63) / 64 * 64;
        out = base_ ? reinterpret_cast<T*>(base_ + used_) : nullptr;
        used_ += count * sizeof(T);
    }
    size_t used() const { return used_; }

private:
    uint8_t* base_;
    size_t used_ = 0;
};

}  // namespace

void ModelBuilder::allocate_activations() {
    Model& m = model_;
    const af_limits& l = m.limits;
    const int threads = m.team->size();
    int rows_max = std::max(l.max_tokens, l.max_logit_rows), cols_max = 0;
    size_t gemm_bytes = 0;
    int tile_columns = 1 << 20;
    int head_dim = 16, heads = 1, experts = 1;
    for (const af_buffer& b : m.buffers) {
        cols_max = std::max(cols_max, b.cols);
        rows_max = std::max(rows_max, buffer_rows_max(b.rows));
    }
    for (const Instruction& i : m.instructions) {
        const int ws[3] = {i.op.w0, i.op.w1, i.op.w2};
        const bool product = i.kind == OpKind::MatMul || i.kind == OpKind::MoeGateUp || i.kind == OpKind::MoeDown;
        for (int w : ws) {
            if (!product || w < 0 || w >= program_.weight_count) continue;
            const auto type = static_cast<WeightType>(m.weights[w].type);
            const int cols = m.weights[w].cols;
            const TypeKernels& k = m.isa.matmul->of(type);
            if (!k.gemm) continue;
            size_t& stride = m.act_stride[static_cast<int>(k.family)];
            stride = std::max(stride, act_bytes(k.family, cols));
            m.tile_bytes = std::max(m.tile_bytes, k.tile_bytes(cols));
            tile_columns = std::min(tile_columns, k.tile_columns);
            gemm_bytes = std::max(gemm_bytes, k.gemm_scratch_bytes(cols, rows_max));
            experts = std::max(experts, m.weights[w].experts);
        }
        if (i.kind == OpKind::Attention) {
            head_dim = std::max(head_dim, i.op.head_dim);
            heads = std::max(heads, i.op.n_heads);
        }
    }
    m.tile_columns = tile_columns;
    const int64_t context = static_cast<int64_t>(l.max_blocks_per_sequence) * l.block_size;
    m.splits_limit = static_cast<int>(std::min<int64_t>(kSplitsMax, (context + kChunkKeys - 1) / kChunkKeys));
    m.split_heads = heads;
    m.split_values_stride = padded_head_dim(head_dim);
    const size_t splits = static_cast<size_t>(std::min(kSplitTokensMax, l.max_tokens)) * heads * m.splits_limit;
    const size_t entries = static_cast<size_t>(l.max_tokens) * std::max(1, m.top_k);

    m.buffer_data.resize(m.buffers.size());
    m.scratch.resize(threads);
    auto take_all = [&](Carver& c) {
        for (size_t b = 0; b < m.buffers.size(); b++) c.take(m.buffer_data[b], static_cast<size_t>(buffer_rows_max(m.buffers[b].rows)) * m.buffers[b].cols);
        for (int f = 0; f < kActFamilies; f++) c.take(m.acts[f], m.act_stride[f] * rows_max);
        c.take(m.tiles, m.tile_bytes * (tile_count(rows_max, tile_columns) + threads));
        c.take(m.best_, l.max_logit_rows);
        c.take(m.rank_best, static_cast<size_t>(threads) * l.max_logit_rows);
        c.take(m.rope_rows, static_cast<size_t>(l.max_tokens) * m.rope_row_floats);
        c.take(m.split_values, splits * m.split_values_stride);
        c.take(m.split_sums, splits * 2);
        for (ThreadScratch& s : m.scratch) {
            for (int f = 0; f < kActFamilies; f++) c.take(s.acts[f], m.act_stride[f] * kSharedPrepareMin);
            c.take(s.gemm, gemm_bytes);
            c.take(s.row, cols_max + 16);
            c.take(s.attention, attend_scratch_floats(head_dim));
            c.take(s.partial_values, static_cast<size_t>(2) * kAttendRowsMax * m.split_values_stride);
            c.take(s.expert_start, experts + 1);
            c.take(s.expert_row, entries);
            c.take(s.expert_slot, entries);
            c.take(s.expert_weight, entries);
        }
    };
    Carver counting(nullptr);
    take_all(counting);
    if (!m.activations_.allocate(counting.used())) throw BuildError(AF_OUT_OF_MEMORY, "There is not enough memory for the activations.");
    Carver placing(m.activations_.data());
    take_all(placing);
    m.logits_ = m.buffer_data[program_.logits_buffer];
}

void ModelBuilder::allocate_cache() {
    for (KvLayer& layer : model_.kv_layers) {
        const int64_t blocks = model_.blocks_per_group[layer.def.group];
        if (blocks < 0) throw BuildError(AF_INVALID_ARGUMENT, "The number of blocks must not be negative.");
        auto pages = std::make_unique<ContentPages>();
        if (!pages->allocate(static_cast<size_t>(blocks) * layer.block_halves * sizeof(uint16_t)))
            throw BuildError(AF_OUT_OF_MEMORY, "There is not enough memory for the KV cache.");
        layer.pool = reinterpret_cast<uint16_t*>(pages->data());
        model_.kv_pages_.push_back(std::move(pages));
    }
}

}  // namespace aifabrik
