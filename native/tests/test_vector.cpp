// Row kernels and attention of every instruction set against plain loops in double.
#include <algorithm>
#include <numeric>

#include "check.h"
#include "exec/isa.h"
#include "vector/kernels.h"

using namespace aifabrik;
using aifabrik_tests::Random;

namespace {

void row_kernels(const VectorKernels& k) {
    Random random(1);
    for (int n : {1, 7, 16, 24, 33, 96, 576, 1000}) {
        auto x = random.values(n, 3), w = random.values(n), out = random.values(n), start = out;
        for (bool accumulate : {false, true}) {
            out = start;
            k.rms_norm(x.data(), w.data(), 1e-5f, n, accumulate, out.data());
            double squares = 0;
            for (float v : x) squares += static_cast<double>(v) * v;
            for (int i = 0; i < n; i++) {
                const double y = x[i] / std::sqrt(squares / n + 1e-5) * w[i] + (accumulate ? start[i] : 0);
                CHECK_NEAR(out[i], y, 1e-5);
            }
        }
        auto gate = random.values(n, 12), up = random.values(n, 12);
        for (int act : {1, 2, 3}) {
            k.act_mul(act, gate.data(), up.data(), n, out.data());
            for (int i = 0; i < n; i++) {
                double g = gate[i], u = up[i], y;
                if (act == 1) y = g / (1 + std::exp(-g)) * u;
                else if (act == 2) y = 0.5 * g * (1 + std::tanh(std::sqrt(2 / M_PI) * (g + 0.044715 * g * g * g))) * u;
                else {
                    g = std::min(g, 7.0);
                    u = std::clamp(u, -7.0, 7.0);
                    y = (u + 1) * g / (1 + std::exp(-1.702 * g));
                }
                CHECK_NEAR(out[i], y, 2e-5 + 2e-6 * std::fabs(y));
            }
        }
        out = gate;
        k.softcap(out.data(), n, 5.0f);
        for (int i = 0; i < n; i++) CHECK_NEAR(out[i], 5 * std::tanh(gate[i] / 5.0), 3e-6);
        auto ranked = gate;
        for (int place : {0, n / 2, n - 1}) {
            ranked[place] = 100;
            if (place + 3 < n) ranked[place + 3] = 100;
            CHECK(k.argmax(ranked.data(), n) == place);
            ranked = gate;
        }
    }
    for (int style : {0, 1}) {
        for (int dim : {8, 24, 64, 128}) {
            const int rotary = dim / 8 * 6;
            auto x = random.values(dim), cos = random.values(rotary / 2), sin = random.values(rotary / 2), out = x;
            k.rope(out.data(), cos.data(), sin.data(), rotary, style);
            for (int i = 0; i < rotary / 2; i++) {
                const int a = style ? 2 * i : i, b = style ? 2 * i + 1 : i + rotary / 2;
                CHECK_NEAR(out[a], x[a] * cos[i] - x[b] * sin[i], 1e-6);
                CHECK_NEAR(out[b], x[b] * cos[i] + x[a] * sin[i], 1e-6);
            }
            for (int i = rotary; i < dim; i++) CHECK(out[i] == x[i]);
        }
    }
}

float rounded_to_half(float x) {
    if (x == 0) return x;
    int exponent;
    const float fraction = std::frexp(x, &exponent);
    return std::ldexp(std::nearbyint(std::ldexp(fraction, 11)), exponent - 11);
}

struct Cache {
    int head_dim, heads, block_size, keys;
    std::vector<uint16_t> pool;
    std::vector<int32_t> table;
    std::vector<float> k, v;   // [keys][heads][head_dim], rounded to fp16

    Cache(const VectorKernels& kernels, Random& random, int head_dim_, int heads_, int block_size_, int keys_)
        : head_dim(head_dim_), heads(heads_), block_size(block_size_), keys(keys_) {
        const int blocks = (keys + block_size - 1) / block_size;
        table.resize(blocks);
        std::iota(table.begin(), table.end(), 0);
        for (int i = blocks - 1; i > 0; i--) std::swap(table[i], table[random.below(i + 1)]);
        pool.assign(static_cast<size_t>(blocks) * heads * (block_size / kPageSlots) * page_halves(head_dim), 0);
        k = random.values(static_cast<size_t>(keys) * heads * head_dim);
        v = random.values(k.size());
        for (int j = 0; j < keys; j++)
            for (int h = 0; h < heads; h++) {
                const size_t at = (static_cast<size_t>(j) * heads + h) * head_dim;
                kernels.store_kv(&k[at], &v[at], head_dim, j % kPageSlots, const_cast<uint16_t*>(view(h).page_at(j)));
            }
        for (float& x : k) x = rounded_to_half(x);
        for (float& x : v) x = rounded_to_half(x);
    }
    KvView view(int head) const { return {pool.data(), table.data(), block_size, heads, head, head_dim}; }
};

// softmax(cap(scale q.k)) v over what the query sees, in double.
std::vector<double> plain_attention(const Cache& c, int head, const float* q, int position, int window, float scale, float cap, const float* sink) {
    std::vector<double> out(c.head_dim), scores(c.keys);
    const int from = window > 0 ? std::max(0, position - window + 1) : 0;
    double largest = sink ? *sink : -INFINITY, sum = 0;
    for (int j = from; j <= position; j++) {
        double s = 0;
        for (int d = 0; d < c.head_dim; d++) s += static_cast<double>(q[d]) * c.k[(static_cast<size_t>(j) * c.heads + head) * c.head_dim + d];
        s *= scale;
        scores[j] = cap > 0 ? cap * std::tanh(s / cap) : s;
        largest = std::max(largest, scores[j]);
    }
    if (sink) sum += std::exp(*sink - largest);
    for (int j = from; j <= position; j++) sum += std::exp(scores[j] - largest);
    for (int j = from; j <= position; j++)
        for (int d = 0; d < c.head_dim; d++)
            out[d] += std::exp(scores[j] - largest) / sum * c.v[(static_cast<size_t>(j) * c.heads + head) * c.head_dim + d];
    return out;
}

struct Case { int head_dim, block_size, keys, rows, window; float cap; bool sink; };

void attention_case(const VectorKernels& k, Random& random, const Case& t) {
    const Cache cache(k, random, t.head_dim, 2, t.block_size, t.keys);
    const int stride = padded_head_dim(t.head_dim);
    auto queries = random.values(static_cast<size_t>(t.rows) * t.head_dim, 2);
    alignas(64) static float values[kAttendRowsMax * 512], alone_values[512], scratch[kAttendRowsMax * (512 * 2 + kChunkKeys)];
    const float scale = 1.0f / std::sqrt(static_cast<float>(t.head_dim)), sink = 0.7f;
    for (int head = 0; head < 2; head++) {
        Partial partials[kAttendRowsMax];
        AttendCall call{};
        call.kv = cache.view(head);
        call.rows = t.rows;
        call.scale = scale;
        call.softcap = t.cap;
        call.window = t.window;
        call.key_end = t.keys;
        call.scratch = scratch;
        call.from_memory = head == 1;
        for (int r = 0; r < t.rows; r++) {
            partials[r] = {-INFINITY, 0, values + r * stride};
            call.query[r] = &queries[static_cast<size_t>(r) * t.head_dim];
            call.position[r] = std::max(0, t.keys - t.rows + r);
            call.partial[r] = &partials[r];
        }
        k.attend(call);
        for (int r = 0; r < t.rows; r++) {
            std::vector<float> out(t.head_dim), alone(t.head_dim);
            k.finish(partials[r], t.sink ? &sink : nullptr, t.head_dim, out.data());
            const auto expected = plain_attention(cache, head, call.query[r], call.position[r], t.window, scale, t.cap, t.sink ? &sink : nullptr);
            for (int d = 0; d < t.head_dim; d++) CHECK_NEAR(out[d], expected[d], 4e-6);
            // The same row alone, its keys in pieces of a chunk that are merged in order: the same bits.
            Partial total{-INFINITY, 0, alone_values};
            for (int key = 0; key <= call.position[r]; key += kChunkKeys) {
                alignas(64) float piece_values[512];
                Partial piece{-INFINITY, 0, piece_values};
                AttendCall one = call;
                one.rows = 1;
                one.query[0] = call.query[r];
                one.position[0] = call.position[r];
                one.partial[0] = &piece;
                one.key_begin = key;
                one.key_end = std::min(call.position[r] + 1, key + kChunkKeys);
                k.attend(one);
                k.merge(total, piece, t.head_dim);
            }
            k.finish(total, t.sink ? &sink : nullptr, t.head_dim, alone.data());
            CHECK(std::memcmp(out.data(), alone.data(), sizeof(float) * t.head_dim) == 0);
        }
    }
}

void attention(const VectorKernels& k) {
    Random random(2);
    for (int head_dim : {8, 24, 32, 64, 80, 96, 128, 256})
        for (int rows = 1; rows <= k.tile_rows; rows++) attention_case(k, random, {head_dim, 16 << (rows % 3), 20 + rows * 37, rows, 0, 0, false});
    for (int keys : {1, 15, 16, 17, 127, 128, 129, 300, 513}) {
        attention_case(k, random, {64, 32, keys, 1, 0, 0, true});
        attention_case(k, random, {32, 16, std::max(keys, 4), 4, 20, 0, false});
        attention_case(k, random, {64, 16, std::max(keys, 3), 3, 1, 30, true});
        attention_case(k, random, {128, 64, std::max(keys, 4), 4, 130, 50, false});
    }
}

}  // namespace

int main() {
    const VectorKernels& chosen = *chosen_isa().vector;
    std::printf("vector kernels: %s\n", chosen.name);
    row_kernels(chosen);
    attention(chosen);
    return aifabrik_tests::report("vector");
}
