// Which kernels this processor can run. The checks include the operating system's part (saved registers).
#include "kernel/act_block.h"
#include "kernel/isa_tables.h"
#include "format/weight_traits.h"
#if defined(__x86_64__)
#include <cpuid.h>
#elif defined(__aarch64__) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace aifabrik {

size_t act_bytes(ActFamily family, int cols) {
    if (family == ActFamily::Int8) return static_cast<size_t>(round_up(cols, kActPadCols) / kActBlockCols) * sizeof(ActBlock);
    if (family == ActFamily::Bfloat16) return static_cast<size_t>(round_up(cols, 32)) * sizeof(uint16_t);
    return static_cast<size_t>(round_up(cols, 16)) * sizeof(float);
}

#if defined(__x86_64__)

// The compiler has no name for this feature: leaf 7, subleaf 1, EAX bit 4. It uses the registers of AVX.
static bool has_avx_vnni() {
    unsigned a = 0, b = 0, c = 0, d = 0;
    return __get_cpuid_count(7, 1, &a, &b, &c, &d) != 0 && (a & 1u << 4) != 0;
}

static bool has_avx2() { return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && __builtin_cpu_supports("f16c"); }

static MatmulKernels avx2_table() {
    MatmulKernels kernels{};
    kernels.name = "avx2";
    avx2_fill_basic(kernels);
    avx2_fill_k(kernels);
    avx2_fill_rest(kernels);
    return kernels;
}

const MatmulKernels* kernels_avx2() {
    if (!has_avx2()) return nullptr;
    static const MatmulKernels table = avx2_table();
    return &table;
}

const MatmulKernels* kernels_avx2_vnni() {
    if (!has_avx2() || !has_avx_vnni()) return nullptr;
    static const MatmulKernels table = [] {
        MatmulKernels kernels = avx2_table();
        kernels.name = "avx2+vnni";
        avx2_fill_vnni(kernels);
        return kernels;
    }();
    return &table;
}

const MatmulKernels* kernels_avx512() {
    static const bool usable = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
                               __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni");
    if (!usable) return nullptr;
    static const MatmulKernels table = [] {
        MatmulKernels kernels{};
        kernels.name = "avx512";
        avx512_fill_basic(kernels);
        avx512_fill_k(kernels);
        avx512_fill_rest(kernels);
        if (__builtin_cpu_supports("avx512bf16")) {
            kernels.name = "avx512+bf16";
            avx512_fill_bf16(kernels);
        }
        return kernels;
    }();
    return &table;
}

#else

const MatmulKernels* kernels_avx2() { return nullptr; }
const MatmulKernels* kernels_avx2_vnni() { return nullptr; }
const MatmulKernels* kernels_avx512() { return nullptr; }

#endif

#if defined(__aarch64__)

const MatmulKernels* kernels_neon() {
#if defined(__linux__)
    constexpr unsigned long dot_product = 1ul << 20;   // HWCAP_ASIMDDP
    static const bool usable = (getauxval(AT_HWCAP) & dot_product) != 0;
#else
    static const bool usable = true;   // every Apple processor has it
#endif
    if (!usable) return nullptr;
    static const MatmulKernels table = [] {
        MatmulKernels kernels{};
        kernels.name = "neon";
        neon_fill_basic(kernels);
        neon_fill_k(kernels);
        neon_fill_rest(kernels);
        return kernels;
    }();
    return &table;
}

#else

const MatmulKernels* kernels_neon() { return nullptr; }

#endif

const MatmulKernels* kernels_best() {
    static const MatmulKernels* const best = [] {
        const MatmulKernels* candidates[] = {kernels_avx512(), kernels_avx2_vnni(), kernels_avx2(), kernels_neon()};
        for (const MatmulKernels* candidate : candidates) {
            if (candidate) return candidate;
        }
        return kernels_generic();
    }();
    return best;
}

}  // namespace aifabrik
