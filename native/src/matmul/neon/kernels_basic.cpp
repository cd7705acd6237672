// Q8_0, Q4_0, Q4_1, Q5_0, Q5_1.
#include "../kernel/isa_tables.h"
#include "../kernel/table.h"
#include "vector.h"

namespace aifabrik {

void neon_fill_basic(MatmulKernels& kernels) { add_basic_types<Neon>(kernels); }

}  // namespace aifabrik
