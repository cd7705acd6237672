// e^x from a polynomial, for instruction sets that have nothing better.
#pragma once
#include "decode.h"

namespace aifabrik {
namespace {

// Relative error about 1e-7 (the coefficients of Cephes' expf). Arguments are held where the result is a normal number.
template <class V> AIFABRIK_INLINE typename V::Floats exp_polynomial(typename V::Floats x) {
    x = V::min(V::max(x, V::all(-87.3f)), V::all(88.3f));
    const auto n = V::round(V::mul(x, V::all(1.44269504f)));
    auto r = V::fma(n, V::all(-0.693359375f), x);          // ln 2 in two parts
    r = V::fma(n, V::all(2.12194440e-4f), r);
    auto p = V::all(1.9875691500e-4f);
    p = V::fma(p, r, V::all(1.3981999507e-3f));
    p = V::fma(p, r, V::all(8.3334519073e-3f));
    p = V::fma(p, r, V::all(4.1665795894e-2f));
    p = V::fma(p, r, V::all(1.6666665459e-1f));
    p = V::fma(p, r, V::all(5.0000001201e-1f));
    p = V::add(V::fma(p, V::mul(r, r), r), V::all(1.0f));
    return V::times_power_of_2(p, n);
}

}  // namespace
}  // namespace aifabrik
