// What the files of each instruction set export: functions that fill their part of its table. They must be called only
// on a processor that has the instructions.
#pragma once
#include "aifabrik/matmul.h"

namespace aifabrik {

void avx2_fill_basic(MatmulKernels& kernels);
void avx2_fill_k(MatmulKernels& kernels);
void avx2_fill_rest(MatmulKernels& kernels);
void avx2_fill_vnni(MatmulKernels& kernels);     // needs AVX-VNNI as well
void avx512_fill_basic(MatmulKernels& kernels);
void avx512_fill_k(MatmulKernels& kernels);
void avx512_fill_rest(MatmulKernels& kernels);
void avx512_fill_bf16(MatmulKernels& kernels);   // needs AVX512_BF16 as well
void neon_fill_basic(MatmulKernels& kernels);
void neon_fill_k(MatmulKernels& kernels);
void neon_fill_rest(MatmulKernels& kernels);

}  // namespace aifabrik
