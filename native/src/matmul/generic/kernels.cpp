// Kernels in plain C++.
#include "../kernel/table.h"
#include "vector.h"

namespace aifabrik {

const MatmulKernels* kernels_generic() {
    static const MatmulKernels table = [] {
        MatmulKernels kernels{};
        kernels.name = "generic";
        kernels.prepare_act = prepare_act<Generic>;
        kernels.prepare_act_blocks = prepare_act_blocks<Generic>;
        add_basic_types<Generic>(kernels);
        add_k_types<Generic>(kernels);
        add_table_types<Generic>(kernels);
        add_float_types<Generic>(kernels);
        return kernels;
    }();
    return &table;
}

}  // namespace aifabrik
