// Attention of a tile of query rows over the paged cache. Formula: see AttendCall; softmax in the running form of
// Milakov and Gimelshein 2018, chunk by chunk of 128 keys.
// Bytes: per key and KV head 2 * (head_dim + padded) for all rows of the tile; operations: 4 * rows * head_dim.
// One row alone is bound by memory, a full tile by arithmetic.
#pragma once
#include <cmath>

#include "vector/math.h"

namespace aifabrik {
namespace {

// How many vectors of `step` accumulators each fit the registers: 4, 2 or 1.
template <class S> constexpr int fitting(int step) { return step * 4 <= S::kAccumulators ? 4 : step * 2 <= S::kAccumulators ? 2 : 1; }

template <class S> struct ChunkOf {
    const uint16_t* page[kChunkKeys / kPageSlots];   // this chunk's pages; those outside [first, last) are not read
    const uint16_t* next[kChunkKeys / kPageSlots];   // pages to prefetch meanwhile
    int first, last;                                 // pages with keys that some row sees
    int head_dim;
    bool from_memory;
};

// Few rows are read where they are; a tile's are first put side by side, [head_dim][NQ].
template <int NQ> constexpr bool kInPlace = NQ <= 4;

// scores[row][key] = sum over d of query[row][d] * K[d][key], for NP pages from p on.
template <class S, int NQ, int NP>
inline void score_pages(const ChunkOf<S>& chunk, int p, const float* const (&rows)[NQ], const float* query, float* scores) {
    using V = typename S::V;
    V acc[NQ][NP];
    for (int q = 0; q < NQ; q++) for (int i = 0; i < NP; i++) acc[q][i] = S::zero();
    const size_t value_offset = static_cast<size_t>(kPageSlots) * chunk.head_dim;
    for (int d = 0; d < chunk.head_dim; d++) {
        V keys[NP];
        for (int i = 0; i < NP; i++) {
            keys[i] = S::load_half(chunk.page[p + i] + d * kPageSlots);
            if (chunk.from_memory && d % 2 == 0) S::prefetch(chunk.page[p + i] + value_offset + d * kPageSlots);
        }
        for (int q = 0; q < NQ; q++) {
            const V x = S::set(kInPlace<NQ> ? rows[q][d] : query[d * NQ + q]);
            for (int i = 0; i < NP; i++) acc[q][i] = S::fma(keys[i], x, acc[q][i]);
        }
    }
    for (int q = 0; q < NQ; q++)
        for (int i = 0; i < NP; i++) S::store(scores + q * kChunkKeys + (p + i) * kPageSlots, acc[q][i]);
}

template <class S, int NQ> inline void score_chunk(const ChunkOf<S>& chunk, const float* const (&rows)[NQ], const float* query, float* scores) {
    constexpr int NP = fitting<S>(NQ);
    int p = chunk.first;
    for (; p + NP <= chunk.last; p += NP) score_pages<S, NQ, NP>(chunk, p, rows, query, scores);
    for (; p < chunk.last; p++) score_pages<S, NQ, 1>(chunk, p, rows, query, scores);
}

// out[row][dims] = sum over keys of weight[row][key] * V[key][dims], for DV vectors of dims.
template <class S, int NQ, int DV>
inline void sum_values(const ChunkOf<S>& chunk, int dim, int last_slots, bool prefetch, const float* weights, float* out) {
    using V = typename S::V;
    V acc[NQ][DV];
    for (int q = 0; q < NQ; q++) for (int i = 0; i < DV; i++) acc[q][i] = S::zero();
    const int stride = padded_head_dim(chunk.head_dim);
    const int ahead = chunk.head_dim * kPageSlots / kPageSlots;     // halves of K per slot: spread over the slots
    for (int p = chunk.first; p < chunk.last; p++) {
        const uint16_t* values = chunk.page[p] + static_cast<size_t>(kPageSlots) * chunk.head_dim + dim;
        const int slots = p + 1 == chunk.last ? last_slots : kPageSlots;
        for (int k = 0; k < slots; k++) {
            V v[DV];
            for (int i = 0; i < DV; i++) v[i] = S::load_half(values + k * stride + i * 16);
            if (prefetch) for (int h = 0; h < ahead; h += 32) S::prefetch(chunk.next[p] + k * ahead + h);
            for (int q = 0; q < NQ; q++) {
                const V w = S::set(weights[q * kChunkKeys + p * kPageSlots + k]);
                for (int i = 0; i < DV; i++) acc[q][i] = S::fma(v[i], w, acc[q][i]);
            }
        }
    }
    for (int q = 0; q < NQ; q++) for (int i = 0; i < DV; i++) S::store(out + q * stride + dim + i * 16, acc[q][i]);
}

template <class S, int NQ> inline void sum_values_rows(const ChunkOf<S>& chunk, int last_slots, const float* weights, float* out) {
    constexpr int DV = fitting<S>(NQ);
    const int dims = padded_head_dim(chunk.head_dim);
    int d = 0;
    for (; d + DV * 16 <= dims; d += DV * 16) sum_values<S, NQ, DV>(chunk, d, last_slots, chunk.from_memory && d == 0, weights, out);
    for (; d < dims; d += 16) sum_values<S, NQ, 1>(chunk, d, last_slots, false, weights, out);
}

template <class S, int NQ> inline void sum_values_chunk(const ChunkOf<S>& chunk, int last_slots, const float* weights, float* out) {
    constexpr int R = NQ <= 6 ? NQ : NQ == 8 ? 4 : 6;
    const int stride = padded_head_dim(chunk.head_dim);
    for (int q = 0; q < NQ; q += R) sum_values_rows<S, R>(chunk, last_slots, weights + q * kChunkKeys, out + q * stride);
}

// Turns a row's scores into exp(score - max) where the row sees the key, 0 elsewhere. False if it sees none.
template <class S> inline bool soften(const AttendCall& call, const ChunkOf<S>& chunk, int first_key, int position, float* scores, Partial& out) {
    using V = typename S::V;
    const int to = position + 1 - first_key;
    const int from = call.window > 0 ? position - call.window + 1 - first_key : 0;
    const V nothing = S::set(-INFINITY);
    V largest = nothing;
    for (int p = chunk.first; p < chunk.last; p++) {
        V s = S::mul(S::load(scores + p * kPageSlots), S::set(call.scale));
        if (call.softcap > 0) s = S::mul(S::set(call.softcap), tanh_of<S>(S::mul(s, S::set(1.0f / call.softcap))));
        s = S::choose(s, nothing, from - p * kPageSlots, to - p * kPageSlots);
        S::store(scores + p * kPageSlots, s);
        largest = S::max(largest, s);
    }
    out.max = S::largest(largest);
    if (!(out.max > -INFINITY)) return false;
    V sum = S::zero();
    for (int p = chunk.first; p < chunk.last; p++) {
        V e = exp_of<S>(S::sub(S::load(scores + p * kPageSlots), S::set(out.max)));
        e = S::choose(e, S::zero(), from - p * kPageSlots, to - p * kPageSlots);
        S::store(scores + p * kPageSlots, e);
        sum = S::add(sum, e);
    }
    out.sum = S::sum(sum);
    return true;
}

template <class S> void merge(Partial& into, const Partial& from, int head_dim) {
    const int dims = padded_head_dim(head_dim);
    if (!(from.max > -INFINITY)) return;
    if (!(into.max > -INFINITY)) {
        into.max = from.max;
        into.sum = from.sum;
        for (int d = 0; d < dims; d += 16) S::store(into.values + d, S::load(from.values + d));
        return;
    }
    const float max = into.max > from.max ? into.max : from.max;
    const float a = exp_of_scalar<S>(into.max - max), b = exp_of_scalar<S>(from.max - max);
    into.max = max;
    into.sum = into.sum * a + from.sum * b;
    const auto va = S::set(a), vb = S::set(b);
    for (int d = 0; d < dims; d += 16)
        S::store(into.values + d, S::fma(S::load(into.values + d), va, S::mul(S::load(from.values + d), vb)));
}

template <class S> void finish(const Partial& partial, const float* sink, int head_dim, float* out) {
    float sum = partial.sum, scale = 1.0f;
    if (sink) {
        const float max = partial.max > *sink ? partial.max : *sink;
        scale = exp_of_scalar<S>(partial.max - max);
        sum = sum * scale + exp_of_scalar<S>(*sink - max);
    }
    const float r = sum > 0 ? scale / sum : 0.0f;
    int d = 0;
    for (; d + 16 <= head_dim; d += 16) S::store(out + d, S::mul(S::load(partial.values + d), S::set(r)));
    for (; d < head_dim; d++) out[d] = partial.values[d] * r;
}

// Finds the pages of the chunk that begins at first_key.
template <class S> inline void open_chunk(const AttendCall& call, int first_key, int oldest_key, ChunkOf<S>& chunk) {
    const int end = call.key_end < first_key + kChunkKeys ? call.key_end : first_key + kChunkKeys;
    chunk.first = oldest_key > first_key ? (oldest_key - first_key) / kPageSlots : 0;
    chunk.last = (end - first_key + kPageSlots - 1) / kPageSlots;
    for (int p = chunk.first; p < chunk.last; p++) {
        chunk.page[p] = call.kv.page_at(first_key + p * kPageSlots);
        const int ahead = first_key + kChunkKeys + p * kPageSlots;
        chunk.next[p] = call.from_memory && ahead < call.key_end ? call.kv.page_at(ahead) : chunk.page[p];
    }
}

template <class S, int NQ> void attend_rows(const AttendCall& call) {
    const int head_dim = call.kv.head_dim, stride = padded_head_dim(head_dim);
    float* scores = call.scratch;                               // [NQ][kChunkKeys]
    float* values = scores + kAttendRowsMax * kChunkKeys;       // [NQ][stride]
    float* query = values + kAttendRowsMax * stride;            // [head_dim][NQ]
    const float* rows[NQ];
    int oldest = INT32_MAX;
    for (int q = 0; q < NQ; q++) {
        const int row = q < call.rows ? q : call.rows - 1;      // a tile with rows to spare computes the last one twice
        rows[q] = call.query[row];
        if (!kInPlace<NQ>) for (int d = 0; d < head_dim; d++) query[d * NQ + q] = rows[q][d];
        const int from = call.window > 0 ? call.position[row] - call.window + 1 : 0;
        if (from < oldest) oldest = from;
    }
    ChunkOf<S> chunk;
    chunk.head_dim = head_dim;
    chunk.from_memory = call.from_memory;
    int key = call.key_begin;
    while (key + kChunkKeys <= oldest) key += kChunkKeys;
    for (; key < call.key_end; key += kChunkKeys) {
        open_chunk<S>(call, key, oldest, chunk);
        score_chunk<S, NQ>(chunk, rows, query, scores);
        Partial part[NQ];
        for (int q = 0; q < NQ; q++) {
            part[q].values = values + q * stride;
            const int row = q < call.rows ? q : call.rows - 1;
            soften<S>(call, chunk, key, call.position[row], scores + q * kChunkKeys, part[q]);
            if (!(part[q].max > -INFINITY))
                for (int k = chunk.first * kPageSlots; k < chunk.last * kPageSlots; k++) scores[q * kChunkKeys + k] = 0.0f;
        }
        const int end = call.key_end < key + kChunkKeys ? call.key_end : key + kChunkKeys;
        sum_values_chunk<S, NQ>(chunk, end - key - (chunk.last - 1) * kPageSlots, scores, values);
        for (int q = 0; q < call.rows; q++) merge<S>(*call.partial[q], part[q], head_dim);
    }
}

template <class S> void attend(const AttendCall& call) {
    switch (call.rows) {
    case 1: return attend_rows<S, 1>(call);
    case 2: return attend_rows<S, 2>(call);
    case 3: return attend_rows<S, 3>(call);
    case 4: return attend_rows<S, 4>(call);
    default: break;
    }
    if constexpr (S::kTileRows >= 6) if (call.rows <= 6) return attend_rows<S, 6>(call);
    if constexpr (S::kTileRows >= 8) if (call.rows <= 8) return attend_rows<S, 8>(call);
    if constexpr (S::kTileRows >= 12) attend_rows<S, 12>(call);
}

}  // namespace
}  // namespace aifabrik
