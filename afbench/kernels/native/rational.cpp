// Rational functions: afbench_rational takes what is below the line, the degrees, what the numerator's parameters stand
// before and the basis, then the rest of a pointwise kernel's message.
#include "rational.h"

#include "pointwise.h"

using namespace AFBENCH_ISA;

namespace {

struct Settings {
    Below below;
    int n, m, free;
    const double* terms;  // [free][n + 1], or null
    const double* steps;  // [m][3] for orthogonal polynomials, or null
};

template <Below V, int N, int M>
Refusal run(const Settings& s, const Data& data, Message message) {
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
    return call(f, data, message);
}

// The degree that all published settings have by default is unrolled; not for x86-64 processors without AVX2, which
// are few and slow as it is.
template <Below V>
Refusal unrolled(const Settings& s, const Data& data, Message message) {
#if defined(AFBENCH_BASELINE) && defined(__x86_64__)
    (void)s, (void)data, (void)message;
    return NO_LANES;
#else
    return s.n == 5 && s.m == 4 ? run<V, 5, 4>(s, data, message) : NO_LANES;
#endif
}

bool symmetric(const Settings& s) {
    for (int j = 0; j < s.m; j++)
        if (s.steps[3 * j + 1] != 0) return false;
    return true;
}

Refusal choose_kernel(const Settings& s, const Data& data, Message message) {
    switch (s.below) {
        case VERSION_A: return unrolled<VERSION_A>(s, data, message);
        case VERSION_B: return unrolled<VERSION_B>(s, data, message);
        case VERSION_C: return unrolled<VERSION_C>(s, data, message);
        case VERSION_N: return unrolled<VERSION_N>(s, data, message);
        case ORTHOGONAL: return symmetric(s) ? unrolled<SYMMETRIC>(s, data, message) : unrolled<ORTHOGONAL>(s, data, message);
        default: return NO_LANES;
    }
}

Below below_by_name(const Message& name, const double* steps) {
    static constexpr const char* NAMES[] = {"a", "b", "c", "n", "whole"};
    for (int i = 0; i <= WHOLE; i++)
        if (name.is(NAMES[i])) return static_cast<Below>(i);
    return steps ? ORTHOGONAL : ANY;
}

}  // namespace

AFBENCH_EXPORT(afbench_rational)(const int64_t* integers) {
    Message message{integers};
    Data data(message);
    const Message name = message;
    Settings s{};
    message.number();
    s.n = static_cast<int>(message.number()), s.m = static_cast<int>(message.number());
    s.free = static_cast<int>(message.number());
    const float *terms = message.address<float>(), *divisors = message.address<float>();
    s.steps = message.address<double>();
    s.below = below_by_name(name, s.steps);
    if (s.below == ANY || s.m < 1 || s.m > s.n || s.n > DEGREE || s.free > DEGREE + 1) return UNKNOWN;
    double matrix[(DEGREE + 1) * (DEGREE + 1)];
    for (int i = 0; terms && i < s.free * (s.n + 1); i++)
        matrix[i] = static_cast<double>(terms[i]) / static_cast<double>(divisors[i / (s.n + 1)]);
    if (terms) s.terms = matrix;
    const Refusal refusal = choose_kernel(s, data, message);
    return refusal == NO_LANES ? run<ANY, 0, 0>(s, data, message) : refusal;
}
