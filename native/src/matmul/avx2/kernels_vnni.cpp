// AVX2 with AVX-VNNI: vpdpbusd takes all codes unsigned, as in AVX-512.
#include "../kernel/isa_tables.h"
#include "../kernel/table.h"
#include "vector.h"

namespace aifabrik {
namespace {

struct Avx2Vnni : Avx2 {
    static constexpr bool signed_bytes = false;
    template <int CodeMax> struct Dot {
        __m256i sum;
        AIFABRIK_INLINE void start(int32_t value) { sum = _mm256_set1_epi32(value); }
        AIFABRIK_INLINE void add(Codes w, Quad x, int) { sum = _mm256_dpbusd_avx_epi32(sum, w, x); }
        AIFABRIK_INLINE Floats end(int) const { return _mm256_cvtepi32_ps(sum); }
    };
};

}  // namespace

// Replaces the quantised types of avx2's table.
void avx2_fill_vnni(MatmulKernels& kernels) {
    add_basic_types<Avx2Vnni>(kernels);
    add_k_types<Avx2Vnni>(kernels);
    add_table_types<Avx2Vnni>(kernels);
}

}  // namespace aifabrik
