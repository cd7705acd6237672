// Compiled with the options of its instruction set: nothing in here may be shared with other files.
#if defined(__x86_64__)
#include "vector/simd_avx2.h"
#include "vector/table.h"

namespace aifabrik {

const VectorKernels* vector_kernels_avx2() {
    static constexpr VectorKernels kernels = make_vector_kernels<Avx2>();
    return &kernels;
}

}  // namespace aifabrik
#else
#include "vector/kernels.h"

namespace aifabrik {

const VectorKernels* vector_kernels_avx2() { return nullptr; }

}  // namespace aifabrik
#endif
