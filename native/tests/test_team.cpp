// The team: everyone takes part, nobody passes a barrier early, idle workers sleep, threads may outnumber cores.
#include <unistd.h>

#include <ctime>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>

#include "check.h"
#include "team/cpus.h"
#include "team/team.h"

using namespace aifabrik;

namespace {

struct Counting {
    Team* team;
    std::vector<int> at;   // by rank: how often it passed
    bool in_step = true;
};

void count_in_step(void* context, int rank) {
    auto* c = static_cast<Counting*>(context);
    for (int round = 1; round <= 50; round++) {
        c->at[rank] = round;
        c->team->barrier(rank, true);
        for (int other = 0; other < c->team->active(); other++) if (c->at[other] != round) c->in_step = false;
        c->team->barrier(rank, true);
    }
}

void runs_in_step(int threads, bool pin) {
    std::vector<int> cores = usable_cores();
    cores.resize(threads, cores[0]);
    Team team(cores, pin);
    for (int run = 0; run < 40; run++) {
        Counting c{&team, std::vector<int>(threads), true};
        team.run(count_in_step, &c);
        CHECK(c.in_step);
        for (int rank = 0; rank < team.active(); rank++) CHECK(c.at[rank] == 50);
        CHECK(team.active() >= 1 && team.active() <= threads);
    }
}

double process_seconds() {
    timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

// Half a second of idleness costs far less than half a second of processor time.
void sleeps_when_idle() {
    std::vector<int> cores(3, usable_cores()[0]);
    Team team(cores, false);
    team.run([](void*, int) {}, nullptr);
    const double before = process_seconds();
    std::this_thread::sleep_for(std::chrono::milliseconds(500));
    CHECK(process_seconds() - before < 0.1);
    int value = 0;
    team.run([](void* context, int rank) { if (rank == 0) *static_cast<int*>(context) = 1; }, &value);
    CHECK(value == 1);
}

void write(const std::string& folder, const char* name, const char* text) {
    std::filesystem::create_directories(folder);
    std::ofstream(folder + "/" + name) << text;
}

// A process pays for what the strictest of its control groups allows, in both versions, inside and outside of containers.
void follows_quotas() {
    const std::string root = (std::filesystem::temp_directory_path() / ("aifabrik-quota-" + std::to_string(getpid()))).string();
    const std::string groups = root + "/self";
    const auto cores = [&](const char* own) {
        write(root, "self", own);
        return quota_processors(root, groups);
    };
    constexpr int kMany = 1000;
    CHECK(cores("0::/\n") > kMany);
    write(root + "/system.slice", "cpu.max", "max 100000\n");
    write(root + "/system.slice/ai.service", "cpu.max", "250000 100000\n");
    CHECK(cores("0::/system.slice/ai.service\n") == 3);
    CHECK(cores("0::/system.slice\n") > kMany);
    write(root + "/system.slice", "cpu.max", "200000 100000\n");
    CHECK(cores("0::/system.slice/ai.service\n") == 2);
    CHECK(cores("0::/system.slice/ai.service/below\n") == 2);
    write(root + "/cpu/docker/1", "cpu.cfs_quota_us", "50000\n");
    write(root + "/cpu/docker/1", "cpu.cfs_period_us", "100000\n");
    CHECK(cores("4:cpuset:/x\n3:cpu,cpuacct:/docker/1\n0::/\n") == 1);
    CHECK(cores("3:cpuacct:/docker/1\n0::/\n") > kMany);
    write(root + "/cpu/docker/1", "cpu.cfs_quota_us", "-1\n");
    CHECK(cores("3:cpu,cpuacct:/docker/1\n") > kMany);
    // A container sees its own group as the root.
    write(root, "cpu.max", "400000 100000\n");
    CHECK(cores("0::/../../elsewhere\n") == 4);
    CHECK(quota_processors(root, root + "/missing") == 4);
    CHECK(usable_processors() >= static_cast<int>(usable_cores().size()));
    std::filesystem::remove_all(root);
}

}  // namespace

int main() {
    CHECK(!usable_cores().empty());
    runs_in_step(1, true);
    runs_in_step(2, true);
    runs_in_step(2, false);
    runs_in_step(5, false);
    sleeps_when_idle();
    follows_quotas();
    return aifabrik_tests::report("team");
}
