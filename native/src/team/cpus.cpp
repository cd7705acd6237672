#include "team/cpus.h"

#include <sched.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>
#include <utility>

namespace aifabrik {
namespace {

// First integer of a small system file; fallback if it is not there.
int read_int(const std::string& path, int fallback) {
    FILE* file = std::fopen(path.c_str(), "r");
    if (!file) return fallback;
    int value = fallback;
    if (std::fscanf(file, "%d", &value) != 1) value = fallback;
    std::fclose(file);
    return value;
}

// Processors that the control group (version 2 or 1) pays for; a large number without a limit.
int quota_cores() {
    constexpr int kNoLimit = 1 << 20;
    long long quota = -1, period = 0;
    if (FILE* file = std::fopen("/sys/fs/cgroup/cpu.max", "r")) {
        if (std::fscanf(file, "%lld %lld", &quota, &period) != 2) quota = -1;
        std::fclose(file);
    } else {
        quota = read_int("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", -1);
        period = read_int("/sys/fs/cgroup/cpu/cpu.cfs_period_us", 0);
    }
    if (quota <= 0 || period <= 0) return kNoLimit;
    return static_cast<int>(std::max(1LL, (quota + period - 1) / period));
}

std::vector<int> detect_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> cores;
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        std::set<std::pair<int, int>> seen;
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
            if (!CPU_ISSET(cpu, &set)) continue;
            const std::string topology = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
            const int package = read_int(topology + "physical_package_id", 0);
            const int core = read_int(topology + "core_id", -1 - cpu);
            if (seen.emplace(package, core).second) cores.push_back(cpu);
        }
    }
    if (cores.empty()) cores.push_back(0);
    const size_t quota = static_cast<size_t>(quota_cores());
    if (cores.size() > quota) cores.resize(quota);
    return cores;
}

}  // namespace

// Once, and before any thread was given a core of its own: later the caller's mask would be narrower than the process's.
std::vector<int> usable_cores() {
    static const std::vector<int> cores = detect_cores();
    return cores;
}

}  // namespace aifabrik
