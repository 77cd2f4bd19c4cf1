// The normal distribution function and its density, from one exponential.
#pragma once

#include "simd.h"

namespace AFBENCH_ISA {

struct Normal {
    Floats cdf, density;
};

// With z = |x|, Phi(-z) = e^(-z^2 / 2) s P(s), s = 1 / (1 + 0.28 z); P, of degree 8, by least squares on the relative
// error, weighted until it was even: 1.7e-7, for every z. So the tail keeps its digits.
INLINE Normal normal(Floats x) {
    Floats z = absolute(x);
    Floats bell = exponential(z * z * -0.5f);
    Floats s = 1.0f / (1.0f + 0.28f * z);
    Floats p = splat(0.024720192186256387f);
    p = p * s - 0.09359388545280911f;
    p = p * s + 0.0924291772566959f;
    p = p * s - 0.006449933621099139f;
    p = p * s + 0.07277530202632027f;
    p = p * s + 0.08363073221271872f;
    p = p * s + 0.10308467026216789f;
    p = p * s + 0.11169980251017395f;
    p = p * s + 0.11170385755363525f;
    Floats tail = bell * (p * s);
    return {x > 0 ? 1.0f - tail : tail, bell * 0.3989422804014327f};
}

}  // namespace AFBENCH_ISA
