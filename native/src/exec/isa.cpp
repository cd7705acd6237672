#include "exec/isa.h"

#include <cstdlib>
#include <cstring>

namespace aifabrik {
namespace {

bool starts_with(const char* text, const char* prefix) { return std::strncmp(text, prefix, std::strlen(prefix)) == 0; }

// The vector kernels that go with the matrix kernels of the same instruction set.
const VectorKernels* vector_for(const MatmulKernels* matmul) {
    const VectorKernels* found = nullptr;
    if (starts_with(matmul->name, "avx512")) found = vector_kernels_avx512();
    else if (starts_with(matmul->name, "avx2")) found = vector_kernels_avx2();
    else if (starts_with(matmul->name, "neon")) found = vector_kernels_neon();
    return found ? found : vector_kernels_generic();
}

const MatmulKernels* asked_for(const char* name) {
    if (!std::strcmp(name, "generic")) return kernels_generic();
    if (!std::strcmp(name, "avx2")) return kernels_avx2();
    if (!std::strcmp(name, "avx2+vnni")) return kernels_avx2_vnni();
    if (!std::strcmp(name, "avx512")) return kernels_avx512();
    if (!std::strcmp(name, "neon")) return kernels_neon();
    return nullptr;
}

}  // namespace

const Isa& chosen_isa() {
    static const Isa isa = [] {
        const char* name = std::getenv("AIFABRIK_ISA");
        const MatmulKernels* matmul = name ? asked_for(name) : nullptr;
        if (!matmul) matmul = kernels_best();
        return Isa{matmul, vector_for(matmul)};
    }();
    return isa;
}

}  // namespace aifabrik
