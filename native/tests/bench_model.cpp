// Not a test: tokens per second of a model of SmolLM2-135M's shape with random weights (Q4_1, head in Q8_0), and the
// share of the read bandwidth measured in the same minute. bench_model [threads] [rounds]
#include <chrono>

#include "small_model.h"

using namespace aifabrik_tests;

namespace {

double seconds() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

double median(std::vector<double> v) {
    std::sort(v.begin(), v.end());
    return v[v.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
    const int threads = argc > 1 ? std::atoi(argv[1]) : af_default_threads(), rounds = argc > 2 ? std::atoi(argv[2]) : 5;
    Shape shape;
    shape.layers = 30; shape.hidden = 576; shape.ffn = 1536; shape.heads = 9; shape.kv_heads = 3; shape.head_dim = 64; shape.vocab = 49152;
    shape.q4 = true;
    SmallModel m(shape, threads);
    af_model_info info;
    af_model_describe(m.model, &info);
    Random random(5);
    std::vector<int> prompt(512);
    for (int& t : prompt) t = random.below(shape.vocab);
    std::vector<double> prefill, decode, batch16, share, mid;
    const char* kinds[] = {"embed", "norm", "matmul", "rope", "attention", "act", "select"};
    double before[16], after[16];
    for (int r = 0; r < rounds; r++) {
        double t = seconds();
        m.run_only({{0, 0, prompt}});
        prefill.push_back(512 / (seconds() - t));
        const double limit = af_measure_read_bandwidth(threads, 128 << 20);
        af_model_profile(m.model, before);
        t = seconds();
        for (int k = 0; k < 128; k++) m.run_only({{0, 512 + k, {k}}});
        decode.push_back(128 / (seconds() - t));
        af_model_profile(m.model, after);
        const double bytes = static_cast<double>(info.packed_bytes) + 30.0 * 576 * 768;
        share.push_back(decode.back() * bytes / ((limit + af_measure_read_bandwidth(threads, 128 << 20)) / 2));
        for (int n : {32, 64, 96, 128}) {
            t = seconds();
            m.run_only({{1, 0, {prompt.begin(), prompt.begin() + n}}});
            mid.push_back(n / (seconds() - t));
        }
        std::vector<SmallModel::Chunk> sixteen;
        for (int s = 0; s < 16; s++) {
            m.run_only({{s, 0, {prompt.begin(), prompt.begin() + 128}}});
            sixteen.push_back({s, 128, {s}});
        }
        t = seconds();
        for (int k = 0; k < 16; k++) {
            for (int s = 0; s < 16; s++) sixteen[s].position = 128 + k;
            m.run_only(sixteen);
        }
        batch16.push_back(256 / (seconds() - t));
    }
    std::printf("%s, %d threads, packed %.1f MB: prefill 512 %.0f tok/s, decode %.1f tok/s (%.0f %% of the read limit), 16 sequences %.0f tok/s\n", af_isa_name(), threads,
                static_cast<double>(info.packed_bytes) * 1e-6, median(prefill), median(decode), 100 * median(share), median(batch16));
    for (int i = 0; i < 4; i++) {
        std::vector<double> v;
        for (int r = 0; r < rounds; r++) v.push_back(mid[r * 4 + i]);
        std::printf("  prompt of %d: %.0f tok/s\n", 32 * (i + 1), median(v));
    }
    std::printf("  decode us a token:");
    for (int k = 0; k < 7; k++) std::printf(" %s %.0f", kinds[k], (after[k] - before[k]) / 128 * 1e6);
    std::printf("\n");
    return 0;
}
