// A DiTAC activation y = f(x), as a table or in closed form: a flow T inside [a, b], times Phi(x) where the variant has
// that, and something simpler outside. Compiled once, in double; what runs for every element is in piecewise.h.
//
// The table is that of f, not of T: Phi for every element, by an exponential, a division and 12 products, cost as much
// as GELU itself on AVX2, where the table as a whole costs less. The few x beyond +-3 are computed, so that the tail,
// which goes to 0, keeps its digits.
#pragma once

#include "table.h"

namespace afbench {

enum Variant { DITAC, GE_DITAC, LEAKY_DITAC, INF_DITAC };

struct WarpSettings {
    int cells, parameters;  // theta [parameters], vertices [cells + 1, parameters] of `vertex_basis`
    const double* vertices;
    double a, b;
    float first, last;      // a and b rounded to the input's dtype, both inside
    int variant;
    bool uniform;           // a coarser table, whose pieces are found without a search, where the variant allows it
};

class Warp;

Warp* warp_build(const WarpSettings& settings, const float* theta);
void warp_free(Warp* warp);

// Null if no table of at most 4096 pieces is within 1e-5 (b - a) of f.
const Table* warp_table(const Warp* warp);
// Below the one and from the other on the table means nothing: y is GELU(x). -inf and NaN, which no x meets, where a variant has no GELU.
float warp_gelu_below(const Warp* warp);
float warp_gelu_from(const Warp* warp);

double warp_value(const Warp* warp, float x, double* slope);

// Adds to the gradient of theta: weight * df/dtheta at x; or the sums [size, 4] over each piece's elements of
// weight * t^k times the coefficients of t^k in df/dtheta.
void warp_pull_back(Warp* warp, float x, double weight);
void warp_contract(Warp* warp, const double (*moments)[4]);
void warp_gradient(const Warp* warp, double* theta);

}  // namespace afbench
