// IQ4_NL, IQ4_XS, MXFP4; F32, F16, BF16; preparing columns.
#include "../kernel/isa_tables.h"
#include "../kernel/table.h"
#include "vector.h"

namespace aifabrik {

void neon_fill_rest(MatmulKernels& kernels) {
    kernels.prepare_act = prepare_act<Neon>;
    kernels.prepare_act_blocks = prepare_act_blocks<Neon>;
    add_table_types<Neon>(kernels);
    add_float_types<Neon>(kernels);
}

}  // namespace aifabrik
