// Content pages: zeroed, flagged as asked, empty in a forked child, zeroed on demand.
#include <sys/wait.h>
#include <unistd.h>

#include <string>

#include "aifabrik.h"
#include "check.h"

namespace {

// The VmFlags line of the mapping that holds an address.
std::string flags_of(const void* address) {
    FILE* file = std::fopen("/proc/self/smaps", "r");
    if (!file) return "";
    char line[512];
    bool inside = false;
    std::string flags;
    while (std::fgets(line, sizeof line, file)) {
        unsigned long long from, to;
        if (std::sscanf(line, "%llx-%llx ", &from, &to) == 2 && std::strchr(line, '-')) {
            const auto at = reinterpret_cast<unsigned long long>(address);
            inside = at >= from && at < to;
        }
        if (inside && !std::strncmp(line, "VmFlags:", 8)) flags = line;
    }
    std::fclose(file);
    return flags;
}

void one_size(int64_t bytes) {
    int32_t refused = -1;
    auto* pages = static_cast<uint8_t*>(af_pages_allocate(bytes, &refused));
    CHECK(pages != nullptr);
    if (!pages) return;
    for (int64_t i = 0; i < bytes; i += 511) CHECK(pages[i] == 0);
    std::memset(pages, 0xAB, static_cast<size_t>(bytes));
    const std::string flags = flags_of(pages + bytes / 2);
    CHECK((flags.find(" dd") != std::string::npos) == !(refused & AF_REFUSED_DONTDUMP));
    CHECK((flags.find(" wf") != std::string::npos) == !(refused & AF_REFUSED_WIPEONFORK));
#ifndef __SANITIZE_ADDRESS__   // the sanitizer's mlock does nothing and says that it worked
    CHECK((flags.find(" lo") != std::string::npos) == !(refused & AF_REFUSED_LOCK));
#endif
    if (!(refused & AF_REFUSED_WIPEONFORK)) {
        const pid_t child = fork();
        if (child == 0) _exit(pages[0] == 0 && pages[bytes - 1] == 0 ? 0 : 1);
        int status = -1;
        waitpid(child, &status, 0);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    CHECK(pages[bytes - 1] == 0xAB);
    af_pages_zero(pages, bytes);
    for (int64_t i = 0; i < bytes; i++) if (pages[i]) { CHECK(!"a byte survived"); break; }
    af_pages_free(pages, bytes);
}

}  // namespace

int main() {
    one_size(1);
    one_size(4096);
    one_size(70'000);
    one_size(5 << 20);
    CHECK(af_pages_allocate(0, nullptr) == nullptr);
    CHECK(af_pages_allocate(-1, nullptr) == nullptr);
    CHECK(af_pages_allocate(int64_t{1} << 60, nullptr) == nullptr);
    return aifabrik_tests::report("pages");
}
