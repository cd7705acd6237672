#include "memory/pages.h"

#include <cstring>
#include <sys/mman.h>
#include <unistd.h>

#include "aifabrik.h"

namespace aifabrik {
namespace {

constexpr size_t kHugePage = size_t{2} << 20;

size_t round_up(size_t value, size_t unit) { return (value + unit - 1) / unit * unit; }

size_t mapped_bytes(size_t bytes) {
    const size_t page = static_cast<size_t>(sysconf(_SC_PAGESIZE));
    return round_up(bytes, bytes >= kHugePage ? kHugePage : page);
}

// An anonymous mapping; large ones are aligned for huge pages by mapping more and cutting the ends off.
void* map_aligned(size_t bytes) {
    const size_t slack = bytes >= kHugePage ? kHugePage : 0;
    void* raw = mmap(nullptr, bytes + slack, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) return nullptr;
    if (!slack) return raw;
    const uintptr_t start = reinterpret_cast<uintptr_t>(raw);
    const uintptr_t aligned = round_up(start, kHugePage);
    if (aligned > start) munmap(raw, aligned - start);
    const size_t tail = start + slack - aligned;
    if (tail) munmap(reinterpret_cast<void*>(aligned + bytes), tail);
    madvise(reinterpret_cast<void*>(aligned), bytes, MADV_HUGEPAGE);
    return reinterpret_cast<void*>(aligned);
}

}  // namespace

void* allocate_content(size_t bytes, PageRefusals* refusals) {
    const size_t mapped = mapped_bytes(bytes);
    if (mapped == 0 || mapped < bytes) return nullptr;
    void* memory = map_aligned(mapped);
    if (!memory) return nullptr;
    int32_t refused = 0;
    if (mlock(memory, mapped) != 0) refused |= AF_REFUSED_LOCK;
    if (madvise(memory, mapped, MADV_DONTDUMP) != 0) refused |= AF_REFUSED_DONTDUMP;
    if (madvise(memory, mapped, MADV_WIPEONFORK) != 0) refused |= AF_REFUSED_WIPEONFORK;
    if (refusals) refusals->bits = refused;
    return memory;
}

void zero_content(void* memory, size_t bytes) {
    explicit_bzero(memory, bytes);
}

void free_content(void* memory, size_t bytes) {
    if (!memory) return;
    zero_content(memory, bytes);
    munmap(memory, mapped_bytes(bytes));
}

void* allocate_weights(size_t bytes) { return map_aligned(mapped_bytes(bytes)); }

void free_weights(void* memory, size_t bytes) {
    if (memory) munmap(memory, mapped_bytes(bytes));
}

bool ContentPages::allocate(size_t bytes) {
    release();
    if (bytes == 0) return true;
    PageRefusals refusals;
    memory_ = allocate_content(bytes, &refusals);
    if (!memory_) return false;
    bytes_ = bytes;
    locked_ = !(refusals.bits & AF_REFUSED_LOCK);
    return true;
}

void ContentPages::release() {
    free_content(memory_, bytes_);
    memory_ = nullptr;
    bytes_ = 0;
}

}  // namespace aifabrik
