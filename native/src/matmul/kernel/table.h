// Fills the table of an instruction set. Each */kernels_*.cpp compiles some of the types.
#pragma once
#include "float_kernels.h"

namespace aifabrik {
namespace {

template <class V, WeightType T> void add_quantised(MatmulKernels& kernels) {
    using Scheme = QuantisedScheme<V, T>;
    kernels.types[static_cast<int>(T)] = TypeKernels{
        ActFamily::Int8, gemv_all<V, QuantisedGroup<V, T>, T>, kTileColumns, Scheme::tile_bytes_of, pack_tiles<V, T>, gemm_scratch_bytes<Scheme>, gemm_all<V, Scheme>};
}

template <class V, WeightType T> void add_float(MatmulKernels& kernels) {
    using Scheme = FloatScheme<V, T>;
    kernels.types[static_cast<int>(T)] = TypeKernels{
        ActFamily::Float32, gemv_all<V, FloatGroup<V, T>, T>, kTileColumns, Scheme::tile_bytes_of, pack_float_tiles<V, T>, gemm_scratch_bytes<Scheme>, gemm_all<V, Scheme>};
}

template <class V> void add_basic_types(MatmulKernels& kernels) {
    add_quantised<V, WeightType::Q8_0>(kernels);
    add_quantised<V, WeightType::Q4_0>(kernels);
    add_quantised<V, WeightType::Q4_1>(kernels);
    add_quantised<V, WeightType::Q5_0>(kernels);
    add_quantised<V, WeightType::Q5_1>(kernels);
}

template <class V> void add_k_types(MatmulKernels& kernels) {
    add_quantised<V, WeightType::Q2_K>(kernels);
    add_quantised<V, WeightType::Q3_K>(kernels);
    add_quantised<V, WeightType::Q4_K>(kernels);
    add_quantised<V, WeightType::Q5_K>(kernels);
    add_quantised<V, WeightType::Q6_K>(kernels);
}

template <class V> void add_table_types(MatmulKernels& kernels) {
    add_quantised<V, WeightType::IQ4_NL>(kernels);
    add_quantised<V, WeightType::IQ4_XS>(kernels);
    add_quantised<V, WeightType::MXFP4>(kernels);
}

template <class V> void add_float_types(MatmulKernels& kernels) {
    add_float<V, WeightType::F32>(kernels);
    add_float<V, WeightType::F16>(kernels);
    add_float<V, WeightType::BF16>(kernels);
}

}  // namespace
}  // namespace aifabrik
