// Which processors this process may use.
#pragma once
#include <vector>

namespace aifabrik {

// One logical processor per physical core, from the affinity mask, the control group's quota and the topology. Never empty.
std::vector<int> usable_cores();

}  // namespace aifabrik
