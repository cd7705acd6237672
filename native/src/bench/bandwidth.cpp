// How fast the memory can be read: the limit that decoding is measured against.
#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

#include "aifabrik.h"
#include "memory/pages.h"
#include "team/cpus.h"
#include "team/team.h"

namespace aifabrik {
namespace {

constexpr int kPasses = 7;
constexpr size_t kPrefetchBytes = 8192;

struct Reading {
    Team* team;
    const uint8_t* data;
    size_t bytes;
};

// Reads 256 bytes at a time with a prefetch ahead; plain vectors, which every compiler turns into the widest it may.
uint64_t read_all(const uint8_t* data, size_t bytes) {
    typedef uint64_t Lanes __attribute__((vector_size(64), aligned(64)));
    Lanes a{}, b{}, c{}, d{};
    for (size_t i = 0; i + 256 <= bytes; i += 256) {
        for (int k = 0; k < 4; k++) __builtin_prefetch(data + i + kPrefetchBytes + 64 * k);
        const Lanes* p = reinterpret_cast<const Lanes*>(data + i);
        a |= p[0];
        b |= p[1];
        c |= p[2];
        d |= p[3];
    }
    a |= b | c | d;
    uint64_t all = 0;
    for (int k = 0; k < 8; k++) all |= a[k];
    return all;
}

void read_share(void* context, int rank) {
    auto* reading = static_cast<Reading*>(context);
    const size_t share = reading->bytes / reading->team->active() / 4096 * 4096;
    volatile uint64_t sink = read_all(reading->data + rank * share, share);
    (void)sink;
}

}  // namespace
}  // namespace aifabrik

double af_measure_read_bandwidth(int32_t threads, int64_t bytes) {
    using namespace aifabrik;
    if (bytes < (1 << 20)) return 0;
    auto* data = static_cast<uint8_t*>(allocate_weights(static_cast<size_t>(bytes)));
    if (!data) return 0;
    std::memset(data, 1, static_cast<size_t>(bytes));
    std::vector<int> cores = usable_cores();
    const int count = threads > 0 ? std::min(threads, usable_processors()) : static_cast<int>(cores.size());
    const bool pin = count <= static_cast<int>(cores.size());
    cores.resize(count, cores[0]);
    std::vector<double> rates;
    {
        Team team(cores, pin);
        Reading reading{&team, data, static_cast<size_t>(bytes)};
        for (int pass = 0; pass <= kPasses; pass++) {
            const auto began = std::chrono::steady_clock::now();
            team.run(read_share, &reading);
            const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
            if (pass > 0) rates.push_back(static_cast<double>(bytes) / seconds);
        }
    }
    free_weights(data, static_cast<size_t>(bytes));
    std::sort(rates.begin(), rates.end());
    return rates[rates.size() / 2];
}
