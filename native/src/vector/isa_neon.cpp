// Compiled with the options of its instruction set: nothing in here may be shared with other files.
#if defined(__aarch64__)
#include "vector/simd_neon.h"
#include "vector/table.h"

namespace aifabrik {

const VectorKernels* vector_kernels_neon() {
    static constexpr VectorKernels kernels = make_vector_kernels<Neon>();
    return &kernels;
}

}  // namespace aifabrik
#else
#include "vector/kernels.h"

namespace aifabrik {

const VectorKernels* vector_kernels_neon() { return nullptr; }

}  // namespace aifabrik
#endif
