// A whole model: one token's logits are the same bits whatever else is in the step, however many threads compute, whether
// it comes alone or in a prompt of any length, for every weight type; fused and unfused programs agree; cleared blocks and activations are zero.
#include <algorithm>

#include "small_model.h"

using namespace aifabrik_tests;

namespace {

std::vector<int> prompt(Random& random, int n, int vocab) {
    std::vector<int> tokens(n);
    for (int& t : tokens) t = random.below(vocab);
    return tokens;
}

bool same(const std::vector<float>& a, const std::vector<float>& b) { return std::memcmp(a.data(), b.data(), a.size() * sizeof(float)) == 0; }

// Logits after a prompt and after each of some tokens behind it, one at a time, with nobody else in the step.
std::vector<std::vector<float>> alone(SmallModel& m, const std::vector<int>& tokens, int prompt_length) {
    std::vector<std::vector<float>> out;
    out.push_back(m.step({{0, 0, {tokens.begin(), tokens.begin() + prompt_length}}})[0]);
    for (size_t t = prompt_length; t < tokens.size(); t++) out.push_back(m.step({{0, static_cast<int>(t), {tokens[t]}}})[0]);
    return out;
}

void neighbours_do_not_matter(const Shape& shape, int threads) {
    Random random(11);
    SmallModel m(shape, threads);
    const auto tokens = prompt(random, 70, shape.vocab);
    const auto expected = alone(m, tokens, 60);
    // Sixteen sequences of different lengths beside it, then a prompt too.
    std::vector<SmallModel::Chunk> prefill{{0, 0, {tokens.begin(), tokens.begin() + 60}}};
    CHECK(same(m.step(prefill)[0], expected[0]));
    for (int n = 1; n < 16; n++) m.step({{n, 0, prompt(random, n * 9, shape.vocab)}});
    for (int t = 60; t < 70; t++) {
        std::vector<SmallModel::Chunk> chunks;
        const int others = t % 3 == 0 ? 15 : t % 3 == 1 ? 4 : 9;
        for (int n = 1; n <= others; n++) chunks.push_back({n, n * 9 + t - 60, {random.below(shape.vocab)}});
        chunks.insert(chunks.begin() + others / 2, {0, t, {tokens[t]}});
        if (t >= 66) chunks.push_back({17, 0, prompt(random, 30 + (t - 66) * 50, shape.vocab)});
        for (int n = others + 1; n < 16; n++) m.step({{n, n * 9 + t - 60, {1}}});
        CHECK(same(m.step(chunks)[others / 2], expected[t - 60 + 1]));
    }
}

void prompt_or_token_by_token(const Shape& shape, int threads) {
    Random random(12);
    SmallModel m(shape, threads);
    const auto tokens = prompt(random, 230, shape.vocab);
    const auto whole = m.step({{0, 0, tokens}})[0];
    CHECK(std::all_of(whole.begin(), whole.end(), [](float x) { return std::isfinite(x); }));
    const auto chunked = alone(m, tokens, 200).back();
    CHECK(same(whole, chunked));
    const auto single = alone(m, {tokens.begin(), tokens.begin() + 40}, 1).back();
    const auto forty = m.step({{3, 0, {tokens.begin(), tokens.begin() + 40}}})[0];
    CHECK(same(single, forty));
}

// Logits after token n of a sequence: the same whether its tokens came one by one or in prompts of any length.
void chunks_do_not_matter(const Shape& shape, int threads) {
    constexpr int kTokens = 131;
    Random random(16);
    SmallModel m(shape, threads);
    const auto tokens = prompt(random, kTokens, shape.vocab);
    const auto expected = alone(m, tokens, 1);
    CHECK(!same(expected[kTokens - 1], expected[kTokens - 2]));
    for (float x : expected.back()) CHECK(std::isfinite(x));
    int sequence = 0;
    for (int size : {2, 3, 4, 8, 16, 17, 33, 64, 129}) {
        sequence++;
        for (int at = 0; at < kTokens; at += size) {
            const int end = std::min(kTokens, at + size);
            if (!same(m.step({{sequence, at, {tokens.begin() + at, tokens.begin() + end}}})[0], expected[end - 1])) {
                std::printf("type %d: prompts of %d, tokens %d to %d\n", shape.type, size, at, end);
                CHECK(false);
            }
        }
    }
}

// The same where attention begins to take its keys in longer pieces (split_keys_at).
void chunks_do_not_matter_in_long_contexts(Shape shape) {
    constexpr int kBegin = 4090, kTokens = 4170;
    shape.blocks_each = kTokens / SmallModel::kBlockSize + 1;
    shape.layers = 2;
    Random random(17);
    SmallModel m(shape, 2);
    const auto tokens = prompt(random, kTokens, shape.vocab);
    for (int sequence : {0, 1, 2})
        for (int at = 0; at < kBegin; at += SmallModel::kMaxTokens) m.run_only({{sequence, at, {tokens.begin() + at, tokens.begin() + std::min(kBegin, at + SmallModel::kMaxTokens)}}});
    std::vector<std::vector<float>> expected;
    for (int t = kBegin; t < kTokens; t++) expected.push_back(m.step({{0, t, {tokens[t]}}})[0]);
    CHECK(same(m.step({{1, kBegin, {tokens.begin() + kBegin, tokens.end()}}})[0], expected.back()));
    for (int at = kBegin; at < kTokens; at += 10) CHECK(same(m.step({{2, at, {tokens.begin() + at, tokens.begin() + at + 10}}})[0], expected[at + 10 - 1 - kBegin]));
}

void threads_do_not_matter(const Shape& shape) {
    Random random(13);
    const auto tokens = prompt(random, 150, shape.vocab);
    std::vector<std::vector<float>> expected;
    for (int threads : {1, 2, 3, 5}) {
        SmallModel m(shape, threads);
        const auto out = alone(m, tokens, 140);
        if (expected.empty()) expected = out;
        for (size_t i = 0; i < out.size(); i++) CHECK(same(out[i], expected[i]));
    }
}

// The activation is rounded differently inside of a product, which flips roundings of the cache: float16 bounds.
void fusion_does_not_matter(Shape shape) {
    Random random(14);
    const auto tokens = prompt(random, 100, shape.vocab);
    shape.fused = true;
    SmallModel fused(shape, 2);
    shape.fused = false;
    SmallModel plain(shape, 2);
    const auto a = fused.step({{0, 0, tokens}})[0], b = plain.step({{0, 0, tokens}})[0];
    CHECK(relative_error(a.data(), b.data(), a.size()) < (shape.q8 ? 5e-2 : 1e-3));
}

void cleared_is_forgotten() {
    Shape shape;
    Random random(15);
    SmallModel m(shape, 2);
    const auto tokens = prompt(random, 100, shape.vocab);
    const auto first = m.step({{0, 0, tokens}})[0];
    std::vector<int32_t> blocks(SmallModel::kMaxSequences * m.s.blocks_each);
    std::iota(blocks.begin(), blocks.end(), 0);
    CHECK(af_model_clear_blocks(m.model, 0, blocks.data(), static_cast<int>(blocks.size())) == AF_OK);
    CHECK(af_model_clear_blocks(m.model, 1, blocks.data(), 1) == AF_INVALID_ARGUMENT);
    af_model_clear_activations(m.model);
    for (int i = 0; i < shape.vocab; i++) CHECK(af_model_logits(m.model)[i] == 0);
    CHECK(same(m.step({{0, 0, tokens}})[0], first));
}

void refuses_bad_batches() {
    Shape shape;
    SmallModel m(shape, 1);
    std::vector<int32_t> zero(SmallModel::kMaxTokens), start{0, 1}, context{1}, tables(SmallModel::kMaxSequences * m.s.blocks_each);
    auto batch = [&] { return af_batch{zero.data(), zero.data(), zero.data(), start.data(), context.data(), zero.data(), tables.data(), zero.data(), 1, 1, 1}; };
    start.resize(SmallModel::kMaxSequences + 1);
    context.resize(SmallModel::kMaxSequences);
    auto good = batch();
    CHECK(af_model_step(m.model, &good) == AF_OK);
    auto bad = batch();
    bad.token_count = SmallModel::kMaxTokens + 1;
    CHECK(af_model_step(m.model, &bad) == AF_INVALID_BATCH);
    bad = batch();
    bad.logit_row_count = -1;
    CHECK(af_model_step(m.model, &bad) == AF_INVALID_BATCH);
    tables[0] = 1 << 20;
    CHECK(af_model_step(m.model, &good) == AF_INVALID_BATCH);
    tables[0] = -1;
    CHECK(af_model_step(m.model, &good) == AF_INVALID_BATCH);
    CHECK(std::strlen(af_last_error()) > 0);
    tables[0] = 0;
    zero[0] = shape.vocab;
    CHECK(af_model_step(m.model, &good) == AF_INVALID_BATCH);
}

}  // namespace

int main() {
    std::printf("instruction set: %s\n", af_isa_name());
    std::vector<Shape> shapes(5);
    shapes[1].q8 = true;
    shapes[2].window = 20;
    shapes[2].head_dim = 32;
    shapes[2].heads = 4;
    shapes[2].kv_heads = 1;
    shapes[3].experts = 5;
    shapes[3].top_k = 2;
    shapes[4] = shapes[3];
    shapes[4].q8 = true;
    for (const Shape& shape : shapes) {
        neighbours_do_not_matter(shape, 2);
        prompt_or_token_by_token(shape, 2);
        threads_do_not_matter(shape);
        fusion_does_not_matter(shape);
    }
    for (const aifabrik::test::NamedType& named : aifabrik::test::kTypes) {
        Shape shape;
        shape.hidden = shape.ffn = 256;
        shape.heads = 8;
        shape.head_dim = 32;
        shape.type = static_cast<int>(named.type);
        chunks_do_not_matter(shape, 2);
    }
    for (aifabrik::WeightType type : {aifabrik::WeightType::BF16, aifabrik::WeightType::Q4_K, aifabrik::WeightType::Q6_K}) {
        Shape shape;
        shape.hidden = shape.ffn = 256;
        shape.heads = 8;
        shape.head_dim = 32;
        shape.type = static_cast<int>(type);
        neighbours_do_not_matter(shape, 2);
        shape.experts = 4;
        shape.top_k = 2;
        chunks_do_not_matter(shape, 1);
    }
    Shape windowed;
    windowed.window = 300;
    chunks_do_not_matter_in_long_contexts(windowed);
    cleared_is_forgotten();
    refuses_bad_batches();
    return report("model");
}
