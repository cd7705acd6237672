// The instruction set that the library uses, chosen once.
#pragma once
#include <aifabrik/matmul.h>

#include "vector/kernels.h"

namespace aifabrik {

struct Isa {
    const MatmulKernels* matmul;
    const VectorKernels* vector;
};

// The best that the processor has, or what AIFABRIK_ISA asks for (generic, avx2, avx2+vnni, avx512, neon) if it is there.
const Isa& chosen_isa();

}  // namespace aifabrik
