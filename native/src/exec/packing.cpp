// Where every matrix goes and how it gets there.
//
// A thread's rows of all matrices lie in one arena of huge pages in the order in which a step reads them, so that the
// prefetch past the end of one product fetches the beginning of the next. A shard is cut by groups of 16 rows over all
// matrices of a product together.
#include <algorithm>

#include "exec/builder.h"

namespace aifabrik {
namespace {

constexpr size_t kArenaTail = 64 << 10;   // prefetch runs past the last record

// Boundary t of T of `units`, on an even unit where there are enough: products take two groups at a time.
int boundary(int64_t units, int t, int threads) {
    int64_t at = units * t / threads;
    if (units >= 8 * threads && t < threads) at -= at % 2;
    return static_cast<int>(at);
}

}  // namespace

void ModelBuilder::plan_shards() {
    const int threads = model_.team->size();
    arena_bytes_.assign(threads, 0);
    for (Instruction& i : model_.instructions) {
        int units = 0;
        for (const Part& p : i.product.parts) units += p.units();
        int first = 0;
        for (Part& p : i.product.parts) {
            p.shards.resize(threads);
            const auto key = std::make_tuple(p.weight, p.weight_up, first, units);
            const auto [known, is_new] = known_.emplace(key, &p);
            packed_.push_back({&p, is_new ? nullptr : known->second});
            for (int t = 0; t < threads; t++) {
                Shard& s = p.shards[t];
                s.begin = std::clamp(boundary(units, t, threads) - first, 0, p.units());
                s.end = std::clamp(boundary(units, t + 1, threads) - first, 0, p.units());
                s.expert_stride = static_cast<size_t>(s.end - s.begin) * p.unit_groups * p.group_bytes;
                if (is_new) arena_bytes_[t] += s.expert_stride * p.experts;
            }
            first += p.units();
        }
    }
    for (int t = 0; t < threads; t++) model_.packed_bytes_ += static_cast<int64_t>(arena_bytes_[t]);
}

void ModelBuilder::pack() {
    const int threads = model_.team->size();
    for (int t = 0; t < threads; t++) {
        const size_t bytes = arena_bytes_[t] + kArenaTail;
        auto* arena = static_cast<uint8_t*>(allocate_weights(bytes));
        if (!arena) throw BuildError(AF_OUT_OF_MEMORY, "There is not enough memory for the packed weights.");
        model_.arenas_.emplace_back(arena, bytes);
        for (Packed& packed : packed_) {
            if (packed.same_as) continue;
            Shard& s = packed.part->shards[t];
            s.packed = arena;
            arena += s.expert_stride * packed.part->experts;
        }
    }
    for (Packed& packed : packed_) if (packed.same_as) packed.part->shards = packed.same_as->shards;
    model_.team->run([](void* self, int rank) {
        auto* builder = static_cast<ModelBuilder*>(self);
        const int active = builder->model_.team->active();
        for (int t = rank; t < builder->model_.team->size(); t += active) builder->pack_thread(t);
    }, this);
}

void ModelBuilder::pack_thread(int thread) {
    for (const Packed& packed : packed_) {
        if (packed.same_as) continue;
        const Part& p = *packed.part;
        const Shard& s = p.shards[thread];
        if (s.begin == s.end) continue;
        const MatrixShape whole{p.type, p.rows, p.cols};
        const int weights[2] = {p.weight, p.weight_up};
        for (int e = 0; e < p.experts; e++) {
            for (int n = 0; n < p.unit_groups; n++) {
                const af_weight& w = model_.weights[weights[n]];
                const size_t stride = p.group_bytes * p.unit_groups;
                // Group g goes to dst + g * stride: the shard's first group is its begin.
                uint8_t* dst = const_cast<uint8_t*>(s.packed) + e * s.expert_stride + n * p.group_bytes - static_cast<size_t>(s.begin) * stride;
                pack_groups(whole, static_cast<const uint8_t*>(w.data) + e * w.expert_stride_bytes, w.row_stride_bytes, dst, stride, s.begin, s.end);
            }
        }
        if (options_.progress) __atomic_fetch_add(options_.progress, static_cast<int64_t>(s.expert_stride) * p.experts, __ATOMIC_RELAXED);
    }
}

}  // namespace aifabrik
