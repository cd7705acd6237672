// The least a test needs: checks that say where and what, and a deterministic random source.
#pragma once
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

namespace aifabrik_tests {

inline int failures = 0;

#define CHECK(condition)                                                              \
    do {                                                                              \
        if (!(condition)) {                                                           \
            std::printf("%s:%d: failed: %s\n", __FILE__, __LINE__, #condition);       \
            aifabrik_tests::failures++;                                               \
        }                                                                             \
    } while (0)

#define CHECK_NEAR(actual, expected, bound)                                                                               \
    do {                                                                                                                  \
        const double a_ = (actual), e_ = (expected), b_ = (bound);                                                        \
        if (!(std::fabs(a_ - e_) <= b_)) {                                                                                \
            std::printf("%s:%d: %s is %.9g, expected %.9g within %.2g\n", __FILE__, __LINE__, #actual, a_, e_, b_);       \
            aifabrik_tests::failures++;                                                                                   \
        }                                                                                                                 \
    } while (0)

class Random {
public:
    explicit Random(uint64_t seed) : state_(seed * 0x9e3779b97f4a7c15ull + 1) {}
    uint64_t next() {
        state_ ^= state_ << 13;
        state_ ^= state_ >> 7;
        state_ ^= state_ << 17;
        return state_;
    }
    int below(int n) { return static_cast<int>((next() >> 33) % static_cast<uint64_t>(n)); }
    // Uniform in -1 .. 1.
    float value() { return static_cast<float>(static_cast<double>(next() >> 40) / 8388608.0 - 1.0); }
    std::vector<float> values(size_t n, float scale = 1.0f) {
        std::vector<float> v(n);
        for (float& x : v) x = value() * scale;
        return v;
    }

private:
    uint64_t state_;
};

// rms(a - b) / rms(b)
inline double relative_error(const float* a, const float* b, size_t n) {
    double error = 0, size = 0;
    for (size_t i = 0; i < n; i++) {
        error += (static_cast<double>(a[i]) - b[i]) * (static_cast<double>(a[i]) - b[i]);
        size += static_cast<double>(b[i]) * b[i];
    }
    return std::sqrt(error / (size > 0 ? size : 1));
}

inline int report(const char* name) {
    std::printf("%s: %s\n", name, failures ? "FAILED" : "ok");
    return failures ? 1 : 0;
}

}  // namespace aifabrik_tests
