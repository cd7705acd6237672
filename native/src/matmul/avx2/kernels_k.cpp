// Q2_K, Q3_K, Q4_K, Q5_K, Q6_K.
#include "../kernel/isa_tables.h"
#include "../kernel/table.h"
#include "vector.h"

namespace aifabrik {

void avx2_fill_k(MatmulKernels& kernels) { add_k_types<Avx2>(kernels); }

}  // namespace aifabrik
