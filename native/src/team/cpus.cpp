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

constexpr int kNoLimit = 1 << 20;

int processors_of(long long quota, long long period) {
    if (quota <= 0 || period <= 0) return kNoLimit;
    return static_cast<int>(std::clamp((quota + period - 1) / period, 1LL, static_cast<long long>(kNoLimit)));
}

// What one folder of the hierarchy allows: version 2 has "QUOTA PERIOD" or "max PERIOD" in one file, version 1 two files.
int folder_limit(const std::string& folder) {
    if (FILE* file = std::fopen((folder + "/cpu.max").c_str(), "r")) {
        long long quota = -1, period = 0;
        if (std::fscanf(file, "%lld %lld", &quota, &period) != 2) quota = -1;
        std::fclose(file);
        return processors_of(quota, period);
    }
    return processors_of(read_int(folder + "/cpu.cfs_quota_us", -1), read_int(folder + "/cpu.cfs_period_us", 0));
}

// The least that the folder root/path and those above it allow. Inside a container the path may name a folder that only
// the host sees; the root is then the container's own.
int path_limit(const std::string& root, std::string path) {
    int limit = folder_limit(root);
    if (path.find("..") != std::string::npos) return limit;
    while (path.size() > 1) {
        limit = std::min(limit, folder_limit(root + path));
        path.resize(path.rfind('/'));
    }
    return limit;
}

bool has_word(const std::string& list, const std::string& word) { return ("," + list + ",").find("," + word + ",") != std::string::npos; }

}  // namespace

int quota_processors(const std::string& root, const std::string& own_groups) {
    int limit = std::min(folder_limit(root), std::min(folder_limit(root + "/cpu"), folder_limit(root + "/cpu,cpuacct")));
    FILE* file = std::fopen(own_groups.c_str(), "r");
    if (!file) return limit;
    char text[4096];
    // Lines are NUMBER:CONTROLLERS:PATH; version 2 names no controllers.
    while (std::fgets(text, sizeof text, file)) {
        std::string line(text);
        while (!line.empty() && line.back() == '\n') line.pop_back();
        const size_t first = line.find(':'), second = line.find(':', first + 1);
        if (first == std::string::npos || second == std::string::npos) continue;
        const std::string controllers = line.substr(first + 1, second - first - 1), path = line.substr(second + 1);
        if (controllers.empty()) {
            limit = std::min(limit, std::min(path_limit(root, path), path_limit(root + "/unified", path)));
        } else if (has_word(controllers, "cpu")) {
            limit = std::min(limit, std::min(path_limit(root + "/" + controllers, path), path_limit(root + "/cpu", path)));
        }
    }
    std::fclose(file);
    return limit;
}

namespace {

struct Processors {
    std::vector<int> cores;   // one logical processor per physical core
    int threads;              // logical processors
};

Processors detect() {
    cpu_set_t set;
    CPU_ZERO(&set);
    Processors found{{}, 0};
    if (sched_getaffinity(0, sizeof set, &set) == 0) {
        std::set<std::pair<int, int>> seen;
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
            if (!CPU_ISSET(cpu, &set)) continue;
            found.threads++;
            const std::string topology = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/topology/";
            const int package = read_int(topology + "physical_package_id", 0);
            const int core = read_int(topology + "core_id", -1 - cpu);
            if (seen.emplace(package, core).second) found.cores.push_back(cpu);
        }
    }
    if (found.cores.empty()) found = {{0}, 1};
    const int quota = quota_processors("/sys/fs/cgroup", "/proc/self/cgroup");
    if (found.cores.size() > static_cast<size_t>(quota)) found.cores.resize(static_cast<size_t>(quota));
    found.threads = std::min(found.threads, quota);
    return found;
}

// Once, and before any thread was given a core of its own: later the caller's mask would be narrower than the process's.
const Processors& processors() {
    static const Processors found = detect();
    return found;
}

}  // namespace

std::vector<int> usable_cores() { return processors().cores; }

int usable_processors() { return processors().threads; }

}  // namespace aifabrik
