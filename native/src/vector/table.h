// The table of kernels of one instruction set.
#pragma once
#include "vector/attention.h"
#include "vector/elementwise.h"

namespace aifabrik {
namespace {

template <class S> constexpr VectorKernels make_vector_kernels() {
    return {S::kName, S::kTileRows, rms_norm<S>, act_mul<S>, softcap<S>, rope<S>, store_kv<S>, attend<S>, merge<S>, finish<S>, argmax<S>};
}

}  // namespace
}  // namespace aifabrik
