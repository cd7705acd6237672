// A small llama-shaped model with random weights behind the C interface, and batches for it.
#pragma once
#include <algorithm>
#include <deque>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "aifabrik.h"
#include "check.h"
#include "matmul_test_support.h"

namespace aifabrik_tests {

struct Shape {
    int layers = 2, hidden = 96, ffn = 160, heads = 6, kv_heads = 2, head_dim = 24, vocab = 200;
    int window = 0, experts = 0, top_k = 0;   // window: of every second layer
    bool q8 = false, q4 = false, fused = true;   // matrices in Q8_0; those but the embedding in Q4_1
    int type = -1;                               // 0 or more: matrices of random bits in this weight type of the file format
    int blocks_each = 22;                        // of 32 slots, for each sequence
};

// Rows of floats as blocks of the file format: F32 (0) as they are, Q4_1 (3) and Q8_0 (8) rounded. The floats become what is stored.
inline std::vector<uint8_t> encode(std::vector<float>& w, int type) {
    if (type == 3) {
        std::vector<uint8_t> bytes(w.size() / 32 * 20);
        for (size_t b = 0; b < w.size() / 32; b++) {
            const uint16_t scale = (-8 + 15) << 10, minimum = 0x8000 | (-5 + 15) << 10;   // 2^-8 and -8 * 2^-8
            std::memcpy(&bytes[b * 20], &scale, 2);
            std::memcpy(&bytes[b * 20 + 2], &minimum, 2);
            for (int i = 0; i < 32; i++) {
                const int q = std::clamp(static_cast<int>(std::lrint(w[b * 32 + i] * 256 + 8)), 0, 15);
                bytes[b * 20 + 4 + i % 16] |= static_cast<uint8_t>(q << (i / 16 * 4));
                w[b * 32 + i] = static_cast<float>(q - 8) / 256;
            }
        }
        return bytes;
    }
    if (type == 0) {
        std::vector<uint8_t> bytes(w.size() * 4);
        std::memcpy(bytes.data(), w.data(), bytes.size());
        return bytes;
    }
    std::vector<uint8_t> bytes(w.size() / 32 * 34);
    for (size_t b = 0; b < w.size() / 32; b++) {
        // Scales are powers of two, so that they are exact as float16.
        float largest = 1e-6f;
        for (int i = 0; i < 32; i++) largest = std::max(largest, std::fabs(w[b * 32 + i]));
        const int exponent = static_cast<int>(std::ceil(std::log2(largest / 127)));
        const float d = std::ldexp(1.0f, exponent);
        const uint16_t half = static_cast<uint16_t>((exponent + 15) << 10);
        std::memcpy(&bytes[b * 34], &half, 2);
        for (int i = 0; i < 32; i++) {
            const auto q = static_cast<int8_t>(std::lrint(w[b * 32 + i] / d));
            bytes[b * 34 + 2 + i] = static_cast<uint8_t>(q);
            w[b * 32 + i] = static_cast<float>(q) * d;
        }
    }
    return bytes;
}

class SmallModel {
public:
    static constexpr int kMaxTokens = 512, kMaxSequences = 20, kMaxRows = 40, kBlockSize = 32;

    explicit SmallModel(const Shape& shape, int threads, uint64_t seed = 7) : s(shape), random_(seed) {
        build_weights();
        build_ops();
        create(threads);
    }
    ~SmallModel() { af_model_destroy(model); }

    Shape s;
    af_model* model = nullptr;
    std::deque<std::vector<float>> floats;   // what weight n stands for

    // One step. chunks: (sequence, first position, tokens); logits of each chunk's last token.
    struct Chunk { int sequence, position; std::vector<int> tokens; };
    int run_only(const std::vector<Chunk>& chunks) {
        const int groups = s.window ? 2 : 1;
        std::vector<int32_t> tokens(kMaxTokens), positions(kMaxTokens), slots(kMaxTokens * groups), start(kMaxSequences + 1), context(kMaxSequences),
            variant(kMaxSequences), tables(groups * kMaxSequences * s.blocks_each, -1), rows(kMaxRows);
        int n = 0, sequence = 0;
        for (const Chunk& c : chunks) {
            start[sequence] = n;
            for (int g = 0; g < groups; g++)
                for (int b = 0; b < s.blocks_each; b++) tables[(g * kMaxSequences + sequence) * s.blocks_each + b] = block_of(c.sequence, b);
            for (size_t t = 0; t < c.tokens.size(); t++, n++) {
                tokens[n] = c.tokens[t];
                positions[n] = c.position + static_cast<int>(t);
                for (int g = 0; g < groups; g++) slots[g * kMaxTokens + n] = block_of(c.sequence, positions[n] / kBlockSize) * kBlockSize + positions[n] % kBlockSize;
            }
            context[sequence] = positions[n - 1] + 1;
            rows[sequence] = n - 1;
            start[++sequence] = n;
        }
        af_batch batch{tokens.data(), positions.data(), slots.data(), start.data(), context.data(), variant.data(), tables.data(), rows.data(), n, sequence, sequence};
        const int status = af_model_step(model, &batch);
        CHECK(status == AF_OK);
        return sequence;
    }
    std::vector<std::vector<float>> step(const std::vector<Chunk>& chunks) {
        const int rows = run_only(chunks);
        std::vector<std::vector<float>> out;
        for (int r = 0; r < rows; r++) {
            const float* logits = af_model_logits(model) + static_cast<size_t>(r) * s.vocab;
            out.emplace_back(logits, logits + s.vocab);
            CHECK(af_model_best(model)[r] == static_cast<int>(std::max_element(logits, logits + s.vocab) - logits));
        }
        return out;
    }

private:
    enum { kResidual, kNormed, kQkv, kAttention, kGateUp, kFfn, kRouter, kRoute, kExperts, kSelected, kLogits, kBufferCount };
    struct Layer { int norm, q, k, v, o, norm2, bias, gate, up, down, router; };
    int block_of(int sequence, int n) const { return (n * kMaxSequences + (sequence * 7 + n) % kMaxSequences) % (kMaxSequences * s.blocks_each); }

    int add(int rows, int cols, float scale, int experts = 1, float offset = 0) {
        if (s.type >= 0 && rows > 1) return add_typed(rows, cols, experts);
        auto& w = floats.emplace_back(random_.values(static_cast<size_t>(experts) * rows * cols, scale));
        // Random bits of a block are large numbers: small norms keep attention from choosing a single key.
        for (float& x : w) x = s.type >= 0 && offset != 0 ? 0.02f * (x + offset) : x + offset;
        const int type = rows == 1 || cols % 32 ? 0 : s.q4 && !weights_.empty() ? 3 : s.q8 || s.q4 ? 8 : 0;
        auto& bytes = data_.emplace_back(encode(w, type));
        const int64_t row = type == 0 ? cols * 4 : cols / 32 * (type == 8 ? 34 : 20);
        weights_.push_back({type, rows, cols, experts, bytes.data(), row, row * rows});
        return static_cast<int>(weights_.size()) - 1;
    }

    int add_typed(int rows, int cols, int experts) {
        const auto type = static_cast<aifabrik::WeightType>(s.type);
        auto& bytes = data_.emplace_back(aifabrik::test::random_weights(type, experts * rows, cols, typed_random_));
        const auto row = static_cast<int64_t>(aifabrik::weight_row_bytes(type, cols));
        weights_.push_back({s.type, rows, cols, experts, bytes.data(), row, row * rows});
        return static_cast<int>(weights_.size()) - 1;
    }

    void build_weights() {
        const int q = s.heads * s.head_dim, kv = s.kv_heads * s.head_dim;
        const float h = 1.7f / std::sqrt(static_cast<float>(s.hidden)), f = 1.7f / std::sqrt(static_cast<float>(s.ffn));
        embedding_ = add(s.vocab, s.hidden, 1);
        for (int l = 0; l < s.layers; l++) {
            Layer x{};
            x.norm = add(1, s.hidden, 0.3f, 1, 1);
            x.q = add(q, s.hidden, h);
            x.k = add(kv, s.hidden, h);
            x.v = add(kv, s.hidden, h);
            x.o = add(s.hidden, q, h);
            x.norm2 = add(1, s.hidden, 0.3f, 1, 1);
            x.bias = add(1, q, 0.1f);
            if (s.experts) {
                x.router = add(s.experts, s.hidden, h);
                x.gate = add(s.ffn, s.hidden, h, s.experts);
                x.up = add(s.ffn, s.hidden, h, s.experts);
                x.down = add(s.hidden, s.ffn, f, s.experts);
            } else {
                x.gate = add(s.ffn, s.hidden, h);
                x.up = add(s.ffn, s.hidden, h);
                x.down = add(s.hidden, s.ffn, f);
            }
            layers_.push_back(x);
        }
        final_norm_ = add(1, s.hidden, 0.3f, 1, 1);
    }

    static af_op op(int kind) {
        af_op o{};
        o.kind = kind;
        o.input = o.input2 = o.output = o.w0 = o.w1 = o.w2 = o.b0 = o.b1 = o.b2 = o.norm0 = o.norm1 = o.layer = o.rope_table = -1;
        o.scale = 1;
        o.eps = 1e-5f;
        return o;
    }
    void emit(af_op o) { ops_.push_back(o); }
    // The input of a product: the residual with the norm fused in, or normed by an operation of its own.
    af_op normed(af_op o, int norm) {
        if (s.fused) {
            o.input = kResidual;
            o.norm0 = norm;
            return o;
        }
        af_op n = op(1);
        n.input = kResidual; n.output = kNormed; n.norm0 = norm;
        emit(n);
        o.input = kNormed;
        return o;
    }

    void build_ops() {
        af_op e = op(0);
        e.output = kResidual; e.w0 = embedding_; e.scale = 0.5f;
        emit(e);
        for (int l = 0; l < s.layers; l++) layer(l);
        af_op select = op(6);
        select.input = kResidual; select.output = kSelected;
        emit(select);
        af_op head = op(2);
        head.input = kSelected; head.output = kLogits; head.w0 = embedding_; head.norm0 = final_norm_;
        emit(head);
    }

    void layer(int l) {
        const Layer& x = layers_[l];
        af_op qkv = op(2);
        qkv.output = kQkv; qkv.w0 = x.q; qkv.w1 = x.k; qkv.w2 = x.v; qkv.b0 = x.bias;
        emit(normed(qkv, x.norm));
        af_op rope = op(3);
        rope.input = rope.output = kQkv; rope.layer = l; rope.n_heads = s.heads; rope.n_kv_heads = s.kv_heads; rope.head_dim = s.head_dim;
        rope.rotary_dim = s.head_dim; rope.rope_table = 0; rope.rope_style = l % 2;
        emit(rope);
        af_op attention = rope;
        attention.kind = 4; attention.output = kAttention; attention.window = l % 2 ? s.window : 0;
        attention.scale = 1 / std::sqrt(static_cast<float>(s.head_dim)); attention.rope_table = -1;
        emit(attention);
        af_op o = op(2);
        o.input = kAttention; o.output = kResidual; o.w0 = x.o; o.accumulate = 1;
        emit(o);
        s.experts ? experts(x) : dense(x);
    }
    void dense(const Layer& x);
    void experts(const Layer& x);
    void create(int threads);

    Random random_;
    aifabrik::test::Random typed_random_;
    std::deque<std::vector<uint8_t>> data_;
    std::vector<af_weight> weights_;
    std::vector<af_op> ops_;
    std::vector<Layer> layers_;
    int embedding_ = 0, final_norm_ = 0;
};

inline void SmallModel::dense(const Layer& x) {
    af_op gate_up = op(2);
    gate_up.w0 = x.gate; gate_up.w1 = x.up; gate_up.output = s.fused ? kFfn : kGateUp; gate_up.activation = s.fused ? 1 : 0;
    emit(normed(gate_up, x.norm2));
    if (!s.fused) {
        af_op act = op(5);
        act.input = kGateUp; act.output = kFfn; act.activation = 1;
        emit(act);
    }
    af_op down = op(2);
    down.input = kFfn; down.output = kResidual; down.w0 = x.down; down.accumulate = 1;
    emit(down);
}

inline void SmallModel::experts(const Layer& x) {
    af_op norm = op(1);
    norm.input = kResidual; norm.output = kNormed; norm.norm0 = x.norm2;
    emit(norm);
    af_op router = op(2);
    router.input = kNormed; router.output = kRouter; router.w0 = x.router;
    emit(router);
    af_op route = op(8);
    route.input = kRouter; route.output = kRoute; route.top_k = s.top_k; route.renormalize = 1;
    emit(route);
    af_op up = op(9);
    up.input = kNormed; up.input2 = kRoute; up.output = kExperts; up.w0 = x.gate; up.w1 = x.up; up.activation = 1; up.top_k = s.top_k;
    emit(up);
    af_op down = op(10);
    down.input = kExperts; down.input2 = kRoute; down.output = kResidual; down.w0 = x.down; down.accumulate = 1; down.top_k = s.top_k;
    emit(down);
}

inline void SmallModel::create(int threads) {
    const int qkv = (s.heads + 2 * s.kv_heads) * s.head_dim;
    const af_buffer buffers[kBufferCount] = {{0, s.hidden}, {0, s.hidden}, {0, qkv}, {0, s.heads * s.head_dim}, {0, 2 * s.ffn}, {0, s.ffn},
                                             {0, std::max(1, s.experts)}, {0, std::max(1, 2 * s.top_k)}, {1, s.ffn}, {2, s.hidden}, {2, s.vocab}};
    std::vector<af_kv_layer> kv(s.layers);
    for (int l = 0; l < s.layers; l++) kv[l] = {s.kv_heads, s.head_dim, s.window && l % 2 ? 1 : 0};
    std::vector<float> frequencies(s.head_dim / 2), factor(1, 1.0f);
    for (size_t i = 0; i < frequencies.size(); i++) frequencies[i] = std::pow(10000.0f, -static_cast<float>(2 * i) / static_cast<float>(s.head_dim));
    const af_rope_table rope{1, s.head_dim / 2, frequencies.data(), factor.data()};
    af_program program{};
    program.ops = ops_.data(); program.op_count = static_cast<int>(ops_.size());
    program.weights = weights_.data(); program.weight_count = static_cast<int>(weights_.size());
    program.buffers = buffers; program.buffer_count = kBufferCount;
    program.rope_tables = &rope; program.rope_table_count = 1;
    program.kv_layers = kv.data(); program.kv_layer_count = s.layers; program.kv_group_count = s.window ? 2 : 1;
    program.vocab_size = s.vocab; program.top_k = s.top_k; program.logits_buffer = kLogits;
    const int32_t blocks[2] = {kMaxSequences * s.blocks_each, kMaxSequences * s.blocks_each};
    const af_limits limits{blocks, kMaxTokens, kMaxSequences, kMaxRows, kBlockSize, s.blocks_each};
    int64_t progress = 0;
    const af_options options{threads, threads <= 2 ? 1 : 0, &progress};
    const int status = af_model_create(&program, &limits, &options, &model);
    if (status != AF_OK) { std::printf("create: %s\n", af_last_error()); std::exit(1); }
    af_model_info info;
    af_model_describe(model, &info);
    CHECK(progress == info.packed_bytes && info.threads == threads);
}

}  // namespace aifabrik_tests
