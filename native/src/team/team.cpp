#include "team/team.h"

#include <pthread.h>
#include <sched.h>

#include <algorithm>
#include <utility>

namespace aifabrik {
namespace {

constexpr int kPauses = 2000;                       // about 20 us: longer than most stages' imbalance
constexpr int64_t kYieldNs = 200'000;               // then the core is offered to others for so long before the thread sleeps
constexpr int64_t kLostNs = 500'000;                // a yield that took so long: other processes want this core
constexpr int64_t kContendedNs = 1'000'000'000;     // for so long after it waiting threads sleep at once: a sleeper is woken
                                                    // before the end of a time slice, one that yielded is not
constexpr int64_t kIdleSpinNs = 200'000;            // between steps: the time a scheduler needs between two tokens
constexpr int64_t kLateNsMin = 1'000'000;           // a run is late if it waited at least so long in balanced stages,
constexpr int kLateShare = 4;                       // and for more than this part of its time: a thread had lost its core
constexpr int kStrikesMax = 6;                      // late runs (less the punctual ones) until a thread is left out
constexpr int64_t kPatienceMinNs = 50'000'000;      // first retry of a thread that was left out
constexpr int64_t kPatienceMaxNs = 2'000'000'000;

inline void pause() {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    asm volatile("isb" ::: "memory");
#endif
}

int64_t now_ns() {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void keep_to(const std::vector<int>& cores) {
    if (cores.empty()) return;
    cpu_set_t set;
    CPU_ZERO(&set);
    for (int core : cores) CPU_SET(core, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);   // refused: the thread roams, which is slower but right
}

std::vector<int> allowed_cores() {
    cpu_set_t set;
    CPU_ZERO(&set);
    std::vector<int> cores;
    if (pthread_getaffinity_np(pthread_self(), sizeof set, &set) == 0)
        for (int cpu = 0; cpu < CPU_SETSIZE; cpu++)
            if (CPU_ISSET(cpu, &set)) cores.push_back(cpu);
    return cores;
}

}  // namespace

Team::Team(std::vector<int> cores, bool pin)
    : cores_(std::move(cores)), pin_(pin && cores_.size() > 1), mail_(new Mailbox[cores_.size()]),
      active_(static_cast<int>(cores_.size())), patience_ns_(kPatienceMinNs) {
    for (int i = 0; i < size(); i++) order_.push_back(i);
    for (int i = 1; i < size(); i++) threads_.emplace_back([this, i] { worker(i); });
}

Team::~Team() {
    stop_.store(true);
    for (int i = 1; i < size(); i++) {
        mail_[i].call.fetch_add(1);
        mail_[i].call.notify_one();
    }
    for (auto& thread : threads_) thread.join();
    if (placed_caller_ == std::this_thread::get_id()) keep_to(caller_cores_);
}

void Team::worker(int index) {
    if (pin_) keep_to({cores_[index]});
    Mailbox& mail = mail_[index];
    uint32_t seen = 0;
    for (;;) {
        const int64_t sleep_at = now_ns() + kIdleSpinNs;
        while (mail.call.load(std::memory_order_acquire) == seen) {
            for (int i = 0; i < 64 && mail.call.load(std::memory_order_acquire) == seen; i++) pause();
            if (now_ns() > sleep_at) mail.call.wait(seen, std::memory_order_acquire);
        }
        seen = mail.call.load(std::memory_order_acquire);
        if (stop_.load()) return;
        const int rank = mail.rank;
        work_(context_, rank);
        barrier(rank, false);
    }
}

void Team::run(Work work, void* context) {
    if (size() == 1) { work(context, 0); return; }
    choose_active();
    if (pin_) place_caller();
    work_ = work;
    context_ = context;
    for (int rank = 1; rank < active_; rank++) {
        Mailbox& mail = mail_[order_[rank]];
        mail.rank = rank;
        mail.call.fetch_add(1, std::memory_order_release);
        mail.call.notify_one();
    }
    const int64_t began = now_ns();
    work(context, 0);
    barrier(0, false);
    run_ns_ = now_ns() - began;
}

void Team::barrier(int rank, bool balanced) {
    if (active_ == 1) return;
    const uint32_t generation = generation_.load(std::memory_order_relaxed);
    if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<uint32_t>(active_)) {
        arrived_.store(0, std::memory_order_relaxed);
        last_rank_.store(rank, std::memory_order_relaxed);
        generation_.store(generation + 1);
        if (sleepers_.load() > 0) generation_.notify_all();
        return;
    }
    for (int i = 0; i < kPauses; i++) {
        if (generation_.load(std::memory_order_acquire) != generation) return;
        pause();
    }
    wait_for_others(generation, rank, balanced);
}

// The slow part of waiting: gives the core away, since the one we wait for may need it.
void Team::wait_for_others(uint32_t generation, int rank, bool balanced) {
    const int64_t began = now_ns();
    int64_t now = began;
    while (generation_.load(std::memory_order_acquire) == generation && now - began < kYieldNs && now >= contended_until_ns_.load(std::memory_order_relaxed)) {
        for (int i = 0; i < 16; i++) pause();
        sched_yield();
        const int64_t before = std::exchange(now, now_ns());
        if (now - before > kLostNs) contended_until_ns_.store(now + kContendedNs, std::memory_order_relaxed);
    }
    if (generation_.load(std::memory_order_acquire) == generation) {
        sleepers_.fetch_add(1);
        while (generation_.load() == generation) generation_.wait(generation);
        sleepers_.fetch_sub(1);
    }
    const int64_t waited = now_ns() - began;
    if (rank != 0 && active_ > 2) return;   // one witness is enough, and thread 0 only can't testify against itself
    if (!balanced) return;
    waited_ns_.fetch_add(waited, std::memory_order_relaxed);
    if (waited <= longest_ns_.load(std::memory_order_relaxed)) return;
    longest_ns_.store(waited, std::memory_order_relaxed);
    late_rank_.store(last_rank_.load(std::memory_order_relaxed), std::memory_order_relaxed);
}

// Between runs, on the caller: who takes part in the next one.
void Team::choose_active() {
    const int64_t waited = waited_ns_.exchange(0, std::memory_order_relaxed);
    const int late = late_rank_.exchange(-1, std::memory_order_relaxed);
    longest_ns_.store(0, std::memory_order_relaxed);
    if (waited < std::max(kLateNsMin, run_ns_ / kLateShare)) {
        if (strikes_ > 0) strikes_--;
        else if (active_ == size()) patience_ns_ = std::max(kPatienceMinNs, patience_ns_ - patience_ns_ / 256);
    } else {
        strikes_++;
    }
    if (strikes_ >= kStrikesMax && active_ > 1) {
        // Thread 0 can't be left out. If it is the late one its core is the busy one: it takes over a worker's.
        const int leave = late > 0 && late < active_ ? late : active_ - 1;
        std::rotate(order_.begin() + leave, order_.begin() + leave + 1, order_.begin() + active_);
        active_--;
        strikes_ = 0;
        retry_at_ns_ = now_ns() + patience_ns_;
        patience_ns_ = std::min(kPatienceMaxNs, patience_ns_ * 2);
    } else if (active_ < size() && now_ns() > retry_at_ns_) {
        active_++;
        strikes_ = kStrikesMax / 2;
        retry_at_ns_ = now_ns() + patience_ns_;
    }
}

// Keeps the caller off the workers' cores, but lets it have those of workers that were left out.
void Team::place_caller() {
    const bool alone = active_ < size();
    const auto self = std::this_thread::get_id();
    if (placed_caller_ == self && alone == caller_placed_alone_) return;
    if (placed_caller_ != self) caller_cores_ = allowed_cores();
    std::vector<int> free;
    for (int core : caller_cores_) {
        bool taken = false;
        for (int rank = 1; rank < active_; rank++) taken |= cores_[order_[rank]] == core;
        if (!taken) free.push_back(core);
    }
    keep_to(free.empty() ? caller_cores_ : free);
    placed_caller_ = self;
    caller_placed_alone_ = alone;
}

}  // namespace aifabrik
