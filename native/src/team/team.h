// The thread team: the caller and its workers run one function together and meet at barriers.
//
// Waiting is by bounded spinning: within a step first pause, then yield, then sleep; between steps a worker spins for a
// short while and then sleeps until it is called, so that an idle model burns nothing.
//
// A core that another process keeps busy makes every barrier wait for a time slice. The team notices that one thread is
// late again and again, leaves it out, and tries it again later with growing patience.
#pragma once
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <thread>
#include <vector>

namespace aifabrik {

class Team {
public:
    using Work = void (*)(void* context, int rank);

    // cores[i] is the processor of thread i; thread 0 is whoever calls run. pin: workers keep to their cores.
    Team(std::vector<int> cores, bool pin);
    ~Team();
    Team(const Team&) = delete;
    Team& operator=(const Team&) = delete;

    // Threads that exist.
    int size() const { return static_cast<int>(cores_.size()); }
    // Threads that take part in the present run: ranks 0 .. active() - 1.
    int active() const { return active_; }

    // Calls work(context, rank) on every active thread and returns when all are done.
    void run(Work work, void* context);

    // Waits for all active threads. `balanced`: the work before it was shared evenly, so a long wait means a late thread.
    void barrier(int rank, bool balanced);

private:
    using Clock = std::chrono::steady_clock;
    struct alignas(128) Mailbox {
        std::atomic<uint32_t> call{0};   // counts the runs this worker was asked to join
        int rank = 0;
    };

    void worker(int index);
    void wait_for_others(uint32_t generation, int rank, bool balanced);
    void choose_active();
    void place_caller();

    std::vector<int> cores_;
    bool pin_;
    std::vector<std::thread> threads_;
    std::unique_ptr<Mailbox[]> mail_;
    std::vector<int> order_;             // worker numbers by rank; those left out come last
    int active_;
    Work work_ = nullptr;
    void* context_ = nullptr;
    std::atomic<bool> stop_{false};

    alignas(128) std::atomic<uint32_t> arrived_{0};
    alignas(128) std::atomic<uint32_t> generation_{0};
    alignas(128) std::atomic<int> sleepers_{0};       // threads that sleep at the barrier
    std::atomic<int64_t> contended_until_ns_{0};      // until then nobody yields
    alignas(128) std::atomic<int> last_rank_{0};      // who came last to the latest barrier
    alignas(128) std::atomic<int64_t> waited_ns_{0};  // long waits of this run, added up
    std::atomic<int64_t> longest_ns_{0};              // the longest of them
    std::atomic<int> late_rank_{-1};                  // whom it was for
    int64_t run_ns_ = 0;                              // how long the latest run took

    int strikes_ = 0;
    int64_t retry_at_ns_ = 0;
    int64_t patience_ns_;
    bool caller_placed_alone_ = false;
    std::thread::id placed_caller_;
    std::vector<int> caller_cores_;
};

}  // namespace aifabrik
