// IQ4_NL, IQ4_XS, MXFP4; F32, F16, BF16; preparing columns.
#include "../kernel/isa_tables.h"
#include "../kernel/table.h"
#include "vector.h"

namespace aifabrik {

void avx2_fill_rest(MatmulKernels& kernels) {
    kernels.prepare_act = prepare_act<Avx2>;
    kernels.prepare_act_blocks = prepare_act_blocks<Avx2>;
    add_table_types<Avx2>(kernels);
    add_float_types<Avx2>(kernels);
}

}  // namespace aifabrik
