// Pages from the system: for content (locked, undumped, wiped on fork, zeroed before they go) and for weights.
#pragma once
#include <cstddef>
#include <cstdint>

namespace aifabrik {

// What the system did not grant; bits as in af_page_refusal.
struct PageRefusals { int32_t bits = 0; };

// Page-aligned zeroed memory for content; null when there is none. Large ones start on a huge-page boundary.
void* allocate_content(size_t bytes, PageRefusals* refusals);
void free_content(void* memory, size_t bytes);
// Zeroes in a way that no optimiser removes.
void zero_content(void* memory, size_t bytes);

// Memory for packed weights: huge pages where possible, zeroed, not locked. Null when there is none.
void* allocate_weights(size_t bytes);
void free_weights(void* memory, size_t bytes);

// Owns content pages.
class ContentPages {
public:
    ContentPages() = default;
    ContentPages(const ContentPages&) = delete;
    ContentPages& operator=(const ContentPages&) = delete;
    ~ContentPages() { release(); }

    bool allocate(size_t bytes);
    void release();
    void clear() { if (memory_) zero_content(memory_, bytes_); }

    uint8_t* data() const { return static_cast<uint8_t*>(memory_); }
    size_t bytes() const { return bytes_; }
    bool locked() const { return locked_; }

private:
    void* memory_ = nullptr;
    size_t bytes_ = 0;
    bool locked_ = false;
};

}  // namespace aifabrik
