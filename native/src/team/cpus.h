// Which processors this process may use.
#pragma once
#include <string>
#include <vector>

namespace aifabrik {

// One logical processor per physical core, from the affinity mask, the control group's quota and the topology. Never empty.
std::vector<int> usable_cores();

// Logical processors that the affinity mask and the control group's quota leave: more threads only wait for each other.
int usable_processors();

// Processors that the control groups pay for, rounded up: the least of the process's own group and those above it,
// version 2 or 1. root: where they are mounted; own_groups: a file in the form of /proc/self/cgroup. A large number
// where there is no limit.
int quota_processors(const std::string& root, const std::string& own_groups);

}  // namespace aifabrik
