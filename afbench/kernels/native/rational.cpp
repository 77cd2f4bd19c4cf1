// Rational functions: afbench_rational takes what is below the line, the degrees, what the numerator's parameters stand
// before and the basis, then the call's message.
#include "pointwise.h"
#include "rational.h"

using namespace AFBENCH_ISA;

namespace {

template <Below V, int N, int M>
int run(int n, int m, int free, const double* terms, const double* steps, Message message) {
    Rational<V, N, M> f;
    f.n_ = n, f.m_ = m, f.free = free, f.terms = terms;
    for (int j = 0; V == ORTHOGONAL && j < m; j++)
        f.steps[j] = {static_cast<float>(steps[3 * j]), static_cast<float>(steps[3 * j + 1]),
                      static_cast<float>(steps[3 * j + 2])};
    f.near = std::exp2(56.0f / n);  // so that x^n stays below 1e17
    return call(f, message);
}

// The degree that all published settings have by default is unrolled.
template <Below V>
int choose(int n, int m, int free, const double* terms, const double* steps, Message message) {
    if (n == 5 && m == 4) {
        int code = run<V, 5, 4>(n, m, free, terms, steps, message);
        if (code != NO_LANES) return code;
    }
    return run<V, 0, 0>(n, m, free, terms, steps, message);
}

}  // namespace

AFBENCH_EXPORT(afbench_rational)(const int64_t* integers) {
    Message message{integers};
    const int64_t below = message.number();
    const int n = static_cast<int>(message.number()), m = static_cast<int>(message.number());
    const int free = static_cast<int>(message.number());
    Parameter terms{}, divisors{};  // [free][n + 1] and [free], or addresses of 0
    terms.data = message.address<void>(), divisors.data = message.address<void>();
    terms.dtype = divisors.dtype = message.number();
    const double* steps = message.address<double>();  // [m][3] for orthogonal polynomials, or 0
    if (n < 1 || m < 1 || m > n || n > DEGREE) return UNKNOWN;
    std::vector<double> matrix(terms.data ? free * (n + 1) : 0);
    for (size_t i = 0; i < matrix.size(); i++) matrix[i] = read(terms, i) / read(divisors, i / (n + 1));
    const double* before = terms.data ? matrix.data() : nullptr;
    switch (below) {
        case SIZES: return choose<SIZES>(n, m, free, before, steps, message);
        case SIZE: return choose<SIZE>(n, m, free, before, steps, message);
        case TENTH: return choose<TENTH>(n, m, free, before, steps, message);
        case SIGNED: return choose<SIGNED>(n, m, free, before, steps, message);
        case WHOLE: return run<WHOLE, 0, 0>(n, m, free, before, steps, message);
        case ORTHOGONAL: return choose<ORTHOGONAL>(n, m, free, before, steps, message);
        default: return UNKNOWN;
    }
}
