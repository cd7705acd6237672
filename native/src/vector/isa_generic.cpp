// Compiled with the options of its instruction set: nothing in here may be shared with other files.
#include "vector/simd_generic.h"
#include "vector/table.h"

namespace aifabrik {

const VectorKernels* vector_kernels_generic() {
    static constexpr VectorKernels kernels = make_vector_kernels<Generic>();
    return &kernels;
}

}  // namespace aifabrik
