// Rational functions: afbench_rational takes what is below the line, the degrees, what the numerator's parameters stand
// before and the basis, then the call's message.
#include "pointwise.h"
#include "parallel.h"
#include "rational.h"

using namespace AFBENCH_ISA;

namespace {

struct Settings {
    Below below;
    int n, m, free;
    const double* terms;  // [free][n + 1], or null
    const double* steps;  // [m][3] for orthogonal polynomials, or null
};

template <Below V, int N, int M>
int run(const Settings& s, Message message) {
    Rational<V, N, M> f;
    f.below_ = s.below, f.n_ = s.n, f.m_ = s.m, f.free = s.free, f.terms = s.terms;
    for (int j = 0; s.below == ORTHOGONAL && j < s.m; j++)
        f.steps[j] = {static_cast<float>(s.steps[3 * j]), static_cast<float>(s.steps[3 * j + 1]),
                      static_cast<float>(s.steps[3 * j + 2])};
    f.near = __builtin_exp2f(56.0f / s.n);  // so that x^n stays below 1e17
    if constexpr (V == SYMMETRIC) {
        double before[M + 2] = {}, last[M + 2] = {1}, next[M + 2];  // coefficients of x^0, x^1, ...
        for (int j = 1; j <= M; j++) {
            for (int i = 0; i <= M; i++)
                next[i] = (i ? s.steps[3 * j - 3] * last[i - 1] : 0) - s.steps[3 * j - 1] * before[i];
            for (int i = j % 2; i <= j; i += 2) {
                f.in_squares[j][i / 2] = static_cast<float>(next[i]);
                f.slopes[j][i / 2] = static_cast<float>(i * next[i]);
            }
            std::memcpy(before, last, sizeof last), std::memcpy(last, next, sizeof last);
        }
    }
    return call(f, message);
}

// The degree that all published settings have by default is unrolled; not for x86-64 processors without AVX2, which
// are few and slow as it is.
template <Below V>
int unrolled(const Settings& s, Message message) {
#if defined(AFBENCH_BASELINE) && defined(__x86_64__)
    (void)s, (void)message;
    return NO_LANES;
#else
    return s.n == 5 && s.m == 4 ? run<V, 5, 4>(s, message) : NO_LANES;
#endif
}

bool symmetric(const Settings& s) {
    for (int j = 0; j < s.m; j++)
        if (s.steps[3 * j + 1] != 0) return false;
    return true;
}

int choose(const Settings& s, Message message) {
    switch (s.below) {
        case SIZES: return unrolled<SIZES>(s, message);
        case SIZE: return unrolled<SIZE>(s, message);
        case TENTH: return unrolled<TENTH>(s, message);
        case SIGNED: return unrolled<SIGNED>(s, message);
        case ORTHOGONAL: return symmetric(s) ? unrolled<SYMMETRIC>(s, message) : unrolled<ORTHOGONAL>(s, message);
        default: return NO_LANES;
    }
}

// Element i of an array of float32 or bfloat16.
double read(const void* from, int64_t dtype, int i) {
    return dtype == FLOAT32 ? static_cast<const float*>(from)[i]
                            : load_some(static_cast<const bfloat16*>(from) + i, 1)[0];
}

}  // namespace

AFBENCH_EXPORT(afbench_rational)(const int64_t* integers) {
    Message message{integers};
    Settings s{};
    s.below = static_cast<Below>(message.number());
    s.n = static_cast<int>(message.number()), s.m = static_cast<int>(message.number());
    s.free = static_cast<int>(message.number());
    const void *terms = message.address<void>(), *divisors = message.address<void>();
    const int64_t dtype = message.number();
    s.steps = message.address<double>();
    if (s.below < 0 || s.below >= ANY || s.m < 1 || s.m > s.n || s.n > DEGREE || s.free > DEGREE + 1) return UNKNOWN;
    double matrix[(DEGREE + 1) * (DEGREE + 1)];
    for (int i = 0; terms && i < s.free * (s.n + 1); i++)
        matrix[i] = read(terms, dtype, i) / read(divisors, dtype, i / (s.n + 1));
    if (terms) s.terms = matrix;
    const int code = choose(s, message);
    return code == NO_LANES ? run<ANY, 0, 0>(s, message) : code;
}
