// How fast the matrix products are, as shares of limits measured in the same run: decode against a plain read of the
// same bytes, prefill against register-only multiply-adds.
//
// Usage: matmul_bench [kernels name] [weight type]. Medians; matrices larger than the caches.
#include <algorithm>
#include <atomic>
#include <ctime>
#include <functional>
#include <thread>
#include "matmul_test_support.h"
#if defined(__x86_64__)
#include <immintrin.h>
#include <sys/mman.h>
#endif

using namespace aifabrik;
using namespace aifabrik::test;

namespace {

// This thread's time on its processor, so that the turns of other processes do not count.
double seconds() {
    timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

double median(std::vector<double> values) {
    std::sort(values.begin(), values.end());
    return values[values.size() / 2];
}

// One helper thread that stays awake.
class Pair {
public:
    Pair() : helper_([this] { loop(); }) {}
    ~Pair() {
        stop_ = true;
        turn_++;
        helper_.join();
    }
    // Runs part(i, n) for i < n; n is 1 or 2. Returns seconds of the slower thread.
    double time(int n, const std::function<void(int, int)>& part) {
        part_ = &part;
        const int wanted = n == 1 ? 0 : ++turn_;
        const double start = seconds();
        part(0, n);
        const double mine = seconds() - start;
        if (n == 1) return mine;
        while (done_.load(std::memory_order_acquire) != wanted) std::this_thread::yield();
        return std::max(mine, helper_seconds_);
    }

private:
    void loop() {
        for (int seen = 0;;) {
            while (turn_.load(std::memory_order_acquire) == seen) std::this_thread::yield();
            seen = turn_;
            if (stop_) return;
            const double start = seconds();
            (*part_)(1, 2);
            helper_seconds_ = seconds() - start;
            done_.store(seen, std::memory_order_release);
        }
    }
    std::atomic<int> turn_{0}, done_{0};
    std::atomic<bool> stop_{false};
    const std::function<void(int, int)>* part_ = nullptr;
    double helper_seconds_ = 0;
    std::thread helper_;
};

struct Weights {
    uint8_t* data;
    size_t size;
};

// Pages of 2 MiB where the system gives them.
Weights big_memory(size_t size) {
    const size_t page = size_t{2} << 20;
    void* p = nullptr;
    if (posix_memalign(&p, page, (size + page - 1) / page * page + page) != 0) abort();
#if defined(__x86_64__)
    madvise(p, (size + page - 1) / page * page, MADV_HUGEPAGE);
#endif
    return {static_cast<uint8_t*>(p), size};
}

#if defined(__x86_64__)
__attribute__((target("avx512f"))) uint64_t read_all(const uint8_t* p, size_t size) {
    __m512i a = _mm512_setzero_si512(), b = a, c = a, d = a;
    for (size_t i = 0; i + 256 <= size; i += 256) {
        _mm_prefetch(reinterpret_cast<const char*>(p + i + 4096), _MM_HINT_T0);
        a = _mm512_xor_si512(a, _mm512_loadu_si512(p + i));
        b = _mm512_xor_si512(b, _mm512_loadu_si512(p + i + 64));
        c = _mm512_xor_si512(c, _mm512_loadu_si512(p + i + 128));
        d = _mm512_xor_si512(d, _mm512_loadu_si512(p + i + 192));
    }
    return static_cast<uint64_t>(_mm512_reduce_add_epi64(_mm512_xor_si512(_mm512_xor_si512(a, b), _mm512_xor_si512(c, d))));
}

// Peaks: 12 independent sums, each a variable of its own (an array would stay in memory). The empty assembly keeps them.
#define AIFABRIK_PEAK(name, isa, type, zero, product)                                              \
    __attribute__((target(isa))) double name(int64_t rounds) {                                     \
        type w = zero(), x = zero();                                                               \
        type a = w, b = w, c = w, d = w, e = w, f = w, g = w, h = w, i = w, j = w, k = w, l = w;   \
        __asm__ volatile("" : "+v"(w), "+v"(x));                                                   \
        const double start = seconds();                                                            \
        for (int64_t n = 0; n < rounds; n++) {                                                     \
            a = product(a), b = product(b), c = product(c), d = product(d), e = product(e), f = product(f); \
            g = product(g), h = product(h), i = product(i), j = product(j), k = product(k), l = product(l); \
            __asm__ volatile("" : "+v"(a), "+v"(b), "+v"(c), "+v"(d), "+v"(e), "+v"(f));           \
            __asm__ volatile("" : "+v"(g), "+v"(h), "+v"(i), "+v"(j), "+v"(k), "+v"(l));           \
        }                                                                                          \
        return 12.0 * static_cast<double>(rounds) / (seconds() - start);                           \
    }
#define AIFABRIK_INT8_PRODUCT(sum) _mm512_dpbusd_epi32(sum, w, x)
#define AIFABRIK_FLOAT_PRODUCT(sum) _mm512_fmadd_ps(w, x, sum)
#define AIFABRIK_BFLOAT_PRODUCT(sum) _mm512_dpbf16_ps(sum, (__m512bh)w, (__m512bh)x)
AIFABRIK_PEAK(peak_int8, "avx512f,avx512vnni", __m512i, _mm512_setzero_si512, AIFABRIK_INT8_PRODUCT)
AIFABRIK_PEAK(peak_float, "avx512f", __m512, _mm512_setzero_ps, AIFABRIK_FLOAT_PRODUCT)
AIFABRIK_PEAK(peak_bfloat, "avx512f,avx512bf16", __m512, _mm512_setzero_ps, AIFABRIK_BFLOAT_PRODUCT)
#endif

// Operations a second of one thread: int8, float32, bfloat16. 0: not known on this processor.
double peak_of(const MatmulKernels* kernels, WeightType type) {
#if defined(__x86_64__)
    if (kernels_avx512()) {
        if (kernels->of(type).family == ActFamily::Int8) return 128 * peak_int8(20'000'000);
        if (type == WeightType::BF16 && strstr(kernels->name, "bf16")) return 64 * peak_bfloat(10'000'000);
        return 32 * peak_float(20'000'000);
    }
#endif
    (void)kernels;
    (void)type;
    return 0;
}

volatile uint64_t sink;

constexpr int kCols = 2048;
constexpr size_t kDecodeBytes = size_t{192} << 20;

void bench_decode(const MatmulKernels* kernels, const NamedType& named, Pair& pair) {
#if defined(__x86_64__)
    if (!kernels_avx512()) return;
    Random random;
    const size_t group_bytes = packed_group_bytes(named.type, kCols);
    const int groups = static_cast<int>(kDecodeBytes / group_bytes), rows = groups * kGroupRows;
    const Weights packed = big_memory(group_bytes * static_cast<size_t>(groups));
    const std::vector<uint8_t> some = random_weights(named.type, 256, kCols, random);
    for (int g = 0; g < groups; g += 16) {
        pack_groups({named.type, 256, kCols}, some.data(), static_cast<int64_t>(weight_row_bytes(named.type, kCols)), packed.data + static_cast<size_t>(g) * group_bytes, group_bytes, 0, std::min(16, groups - g));
    }
    const ActFamily family = kernels->of(named.type).family;
    const size_t stride = act_bytes(family, kCols);
    Buffer acts(stride * 16);
    const std::vector<float> x = random_floats(kCols, random);
    for (int c = 0; c < 16; c++) kernels->prepare_act(family, x.data(), kCols, acts.get() + static_cast<size_t>(c) * stride);
    Buffer y(sizeof(float) * static_cast<size_t>(rows) * 16);
    memset(y.get(), 0, sizeof(float) * static_cast<size_t>(rows) * 16);
    const MatmulCall call{packed.data, rows, kCols, y.floats(), rows, {}};
    printf("%-7s", named.name);
    for (int threads : {1, 2}) {
        std::vector<double> share, speed, times[3];
        const int counts[3] = {1, 4, 8};
        for (int round = 0; round < 7; round++) {
            const double read = pair.time(threads, [&](int i, int n) {
                sink = read_all(packed.data + packed.size / static_cast<size_t>(n) * static_cast<size_t>(i), packed.size / static_cast<size_t>(n));
            });
            for (int k = 0; k < 3; k++) {
                const double took = pair.time(threads, [&](int i, int n) {
                    kernels->of(named.type).gemv(call, {acts.get(), stride, nullptr, counts[k]}, groups * i / n, groups * (i + 1) / n);
                });
                times[k].push_back(took);
                if (k == 0) {
                    share.push_back(read / took);
                    speed.push_back(static_cast<double>(packed.size) / took * 1e-9);
                }
            }
        }
        const double one = median(times[0]);
        printf(" | %d threads %5.1f GB/s, %3.0f %% of read, x4 %.2f x8 %.2f", threads, median(speed), 100 * median(share), median(times[1]) / one, median(times[2]) / one);
    }
    printf("\n");
    free(packed.data);
#else
    (void)kernels, (void)named, (void)pair;
#endif
}

void bench_prefill(const MatmulKernels* kernels, const NamedType& named, Pair& pair) {
    constexpr int rows = 2048, count = 512;
    Random random;
    const size_t group_bytes = packed_group_bytes(named.type, kCols);
    const int groups = rows / kGroupRows;
    const Weights packed = big_memory(group_bytes * groups);
    const std::vector<uint8_t> weights = random_weights(named.type, rows, kCols, random);
    pack_groups({named.type, rows, kCols}, weights.data(), static_cast<int64_t>(weight_row_bytes(named.type, kCols)), packed.data, group_bytes, 0, groups);
    const TypeKernels& type = kernels->of(named.type);
    const ActFamily family = kernels->of(named.type).family;
    const size_t stride = act_bytes(family, kCols);
    Buffer acts(stride * count);
    for (int c = 0; c < count; c++) {
        const std::vector<float> x = random_floats(kCols, random);
        kernels->prepare_act(family, x.data(), kCols, acts.get() + static_cast<size_t>(c) * stride);
    }
    const int tiles = tile_count(count, type.tile_columns);
    Buffer tile_memory(static_cast<size_t>(tiles) * type.tile_bytes(kCols)), y(sizeof(float) * rows * count);
    Buffer scratch[2] = {Buffer(type.gemm_scratch_bytes(kCols, count)), Buffer(type.gemm_scratch_bytes(kCols, count))};
    memset(y.get(), 0, sizeof(float) * rows * count);
    const MatmulCall call{packed.data, rows, kCols, y.floats(), rows, {}};
    printf("%-7s", named.name);
    for (int threads : {1, 2}) {
        std::vector<double> rate, peaks;
        for (int round = 0; round < 5; round++) {
            std::atomic<double> peak{0};
            pair.time(threads, [&](int, int) {
                const double mine = peak_of(kernels, named.type);
                for (double old = peak; !peak.compare_exchange_weak(old, old + mine);) {}
            });
            peaks.push_back(peak);
            const double pack = pair.time(threads, [&](int i, int n) {
                type.pack_tiles(kCols, {acts.get(), stride, nullptr, count}, tiles * i / n, tiles * (i + 1) / n, tile_memory.get());
            });
            const double took = pair.time(threads, [&](int i, int n) {
                type.gemm(call, tile_memory.get(), count, groups * i / n, groups * (i + 1) / n, scratch[i].get());
            });
            rate.push_back(2.0 * rows * kCols * count / (pack + took));
        }
        printf(" | %d threads %6.0f GOPS, %3.0f %% of peak %.0f", threads, median(rate) * 1e-9, median(peaks) > 0 ? 100 * median(rate) / median(peaks) : 0.0, median(peaks) * 1e-9);
    }
    printf("\n");
    free(packed.data);
}

}  // namespace

int main(int argc, char** argv) {
    const char* wanted = argc > 1 ? argv[1] : kernels_best()->name;
    const char* only = argc > 2 ? argv[2] : nullptr;
    Pair pair;
    for (const MatmulKernels* kernels : available_kernels()) {
        if (strcmp(wanted, kernels->name) != 0) continue;
        printf("%s, decode: %d columns wide matrix of 192 MiB, 1 column; x4, x8: time of 4 and 8 columns\n", kernels->name, kCols);
        for (const NamedType& named : kTypes) if (!only || strcmp(only, named.name) == 0) bench_decode(kernels, named, pair);
        printf("%s, prefill: 2048 x %d, 512 columns, tile packing included\n", kernels->name, kCols);
        for (const NamedType& named : kTypes) if (!only || strcmp(only, named.name) == 0) bench_prefill(kernels, named, pair);
    }
    return 0;
}
