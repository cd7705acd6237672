// exp and tanh on vectors of 16.
#pragma once
#include "vector/kernels.h"

namespace aifabrik {
namespace {

// e^x, relative error about 2e-7; arguments are held in -87 .. 88. exp(0) is exactly 1.
// Range reduction by ln 2 in two parts and a polynomial of degree 6 (Cephes' expf).
template <class S> inline typename S::V exp_of(typename S::V x) {
    using V = typename S::V;
    x = S::min(S::max(x, S::set(-87.0f)), S::set(88.0f));
    const V n = S::round(S::mul(x, S::set(1.44269504f)));
    V r = S::fma(n, S::set(-0.693359375f), x);
    r = S::fma(n, S::set(2.12194440e-4f), r);
    V p = S::set(1.9875691500e-4f);
    p = S::fma(p, r, S::set(1.3981999507e-3f));
    p = S::fma(p, r, S::set(8.3334519073e-3f));
    p = S::fma(p, r, S::set(4.1665795894e-2f));
    p = S::fma(p, r, S::set(1.6666665459e-1f));
    p = S::fma(p, r, S::set(5.0000001201e-1f));
    p = S::fma(p, S::mul(r, r), S::add(r, S::set(1.0f)));
    return S::scale(p, n);
}

template <class S> inline float exp_of_scalar(float x) {
    alignas(64) float lanes[16];
    S::store(lanes, exp_of<S>(S::set(x)));
    return lanes[0];
}

// 1 - 2 / (e^2x + 1): absolute error about 1e-7.
template <class S> inline typename S::V tanh_of(typename S::V x) {
    const auto e = exp_of<S>(S::add(x, x));
    return S::sub(S::set(1.0f), S::div(S::set(2.0f), S::add(e, S::set(1.0f))));
}

}  // namespace
}  // namespace aifabrik
