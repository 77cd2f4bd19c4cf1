// A DiTAC activation in closed form, and how far a cubic is from it on an interval.
#pragma once

#include <cmath>

#include "flow.h"
#include "memory.h"
#include "pieces.h"

namespace afbench {

constexpr double NARROW = 1e-6;     // of b - a: a piece below it is linear, for its differences have no digits
// Cubic through f at u = 0, 1/3, 2/3 and 1: what each adds to the coefficients of u^0, ..., u^3.
constexpr double LAGRANGE[4][4] = {{1, -5.5, 9, -4.5}, {0, 9, -22.5, 13.5}, {0, -4.5, 18, -13.5}, {0, 1, -4.5, 4.5}};
// Where its error is measured. If the fourth derivative is constant, it is 5 / 3 of that in the middle at the outer two;
// if that changes its sign, the middle alone may see none: tables of few cells were 1e-4 (b - a) off.
constexpr double CHECKED[3] = {1.0 / 6, 0.5, 5.0 / 6};
constexpr double OUTER = 0.6;
// The largest error is 1.78 times that in the middle; twice that.
constexpr double MARGIN = 3.6;
// And over a piece the mean square of its slope's error is 121 (error in the middle / width)^2.
constexpr double STEEP = 121;

struct Point {
    double f, slope, gate;  // gate = df/dT
};

// One piece of the table on [left, right], while it is made.
struct Fit {
    float left, right;
    bool inside;              // [a, b], so that f depends on theta
    double f[4], gate[4];     // at u = 0, 1/3, 2/3, 1; f is NaN if not known yet
    double f_middle, gate_middle;
    double error, slope_error;  // the largest of f; the square of that of f', times the width
    bool linear;

    double width() const { return static_cast<double>(right) - left; }
    double at(double u) const { return left + u * width(); }
    float middle() const { return static_cast<float>(at(0.5)); }
};

inline double normal_cdf(double x) { return 0.5 * std::erfc(-M_SQRT1_2 * x); }
inline double normal_density(double x) { return 0.3989422804014327 * std::exp(-0.5 * x * x); }

inline Vector<double> velocities(const DitacSettings& s, const float* theta) {
    Vector<double> W(s.cells + 1);
    for (int c = 0; c <= s.cells; c++) {
        double v = 0;
        for (int j = 0; j < s.parameters; j++) v += s.vertices[c * s.parameters + j] * theta[j];
        W[c] = s.cells * v;
    }
    return W;
}

class Exact {
  public:
    Exact(const DitacSettings& settings, const float* theta)
        : s_(settings), cell_((s_.b - s_.a) / s_.cells), flow_(velocities(s_, theta).data(), s_.cells) {}

    bool inside(double x) const { return s_.variant == INF_DITAC || (x >= s_.first && x <= s_.last); }

    Path path(double x) const { return flow_.trace((x - s_.a) / cell_); }

    Point evaluate(double x, bool inside) const {
        bool gelu = s_.variant == DITAC || (s_.variant == GE_DITAC && !inside && x < 0);
        double f = x, slope = 1;
        if (inside) {
            Path p = path(x);
            f = s_.a + cell_ * p.end;
            slope = flow_.slope(p);
        } else if (s_.variant == LEAKY_DITAC && x < 0) {
            f = 0.01 * x, slope = 0.01;
        }
        if (!gelu) return {f, slope, 1};
        double cdf = normal_cdf(x);
        return {f * cdf, slope * cdf + f * normal_density(x), cdf};
    }

    // Without the slope.
    void set(Fit& fit, int node) const {
        if (!std::isnan(fit.f[node])) return;
        double x = fit.at(node / 3.0);
        fit.gate[node] = s_.variant == DITAC || (s_.variant == GE_DITAC && !fit.inside && x < 0) ? normal_cdf(x) : 1;
        double f = fit.inside ? s_.a + cell_ * path(x).end : s_.variant == LEAKY_DITAC && x < 0 ? 0.01 * x : x;
        fit.f[node] = f * fit.gate[node];
    }

    void measure(Fit& fit) const {
        for (int node = 0; node < 4; node++) set(fit, node);
        double h = fit.width(), error = 0;
        fit.linear = h < NARROW * (s_.b - s_.a);
        for (double place : CHECKED) {
            bool middle = place == 0.5;
            float x = middle ? fit.middle() : static_cast<float>(fit.at(place));
            Fit here{x, x, fit.inside, {NAN}, {}, 0, 0, 0, 0, false};
            set(here, 0);
            if (middle) fit.f_middle = here.f[0], fit.gate_middle = here.gate[0];
            double u = (static_cast<double>(x) - fit.left) / h, cubic = 0;
            for (int node = 0; node < 4; node++) {
                const double* c = LAGRANGE[node];
                cubic += fit.f[node] * (c[0] + u * (c[1] + u * (c[2] + u * c[3])));
            }
            if (fit.linear) cubic = fit.f[0] + u * (fit.f[3] - fit.f[0]);
            error = std::fmax(error, std::fabs(here.f[0] - cubic) * (middle ? 1 : OUTER));
        }
        // A piece that cannot be split holds no number but its knot.
        if (!(fit.left < fit.middle() && fit.middle() < fit.right)) error = 0;
        if (!std::isfinite(fit.f[0] + fit.f[1] + fit.f[2] + fit.f[3])) error = INFINITY;
        fit.error = MARGIN * error;
        fit.slope_error = fit.linear ? 0 : STEEP * error * error / h;
    }

  protected:
    DitacSettings s_;
    double cell_;  // its width in x
    Flow flow_;
};

}  // namespace afbench
