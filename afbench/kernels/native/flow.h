// The CPAB flow T(y) = phi(y; 1) in closed form and in double, one point at a time, with its derivatives.
//
// Lengths are counted in cells, as in flow.py: the velocity is W[c] at vertex c = 0, ..., cells, linear in between, and
// the outer cells reach to infinity. Within a cell of slope alpha a path goes y + v(y) (e^(alpha t) - 1) / alpha.
#pragma once

#include <cmath>
#include <limits>

#include "memory.h"

namespace afbench {

// The integrals over s from a vertex to an end a gap away, where the velocity goes from v to w, of one sign.
struct Part {
    double duration;  // of 1 / v(s)
    double inverse;   // of 1 / v(s)^2
    double moment;    // of (s - vertex) / v(s)^2
};

inline double phi1(double z) { return z == 0 ? 1 : std::expm1(z) / z; }

// d phi1 / dz = sum over k of (k + 1) z^k / (k + 2)!, which loses its digits in closed form near 0.
inline double bend(double z) {
    if (std::fabs(z) > 0.5) return (std::exp(z) * (z - 1) + 1) / (z * z);
    double term = 0.5, sum = 0.5;
    for (int k = 1; k < 14; k++) {
        term *= z / (k + 2);
        sum += (k + 1) * term;
    }
    return sum;
}

// See `_Path` in flow.py: with p = (w - v) / (w + v), skew = (atanh(p) - p) / p^2 and h = gap / (w + v).
inline Part part(double v, double w, double gap) {
    double p = (w - v) / (w + v), square = p * p, skew;
    if (square < 0.02) {
        skew = square / 19 + 1.0 / 17;
        for (int odd = 15; odd > 1; odd -= 2) skew = skew * square + 1.0 / odd;
        skew *= p;
    } else {
        skew = (0.5 * std::log(w / v) - p) / square;
    }
    double h = gap / (w + v);
    return {2 * h * (1 + p * skew), gap / (v * w), h * (gap / w + 2 * h * skew)};
}

struct Path {
    double start, end;
    int first, last;  // the cells of both; the same: it stayed
};

class Flow {
  public:
    Flow(const double* W, int cells);

    int cells() const { return cells_; }
    double growth(int cell) const { return growth_[cell]; }  // (e^alpha - 1) / alpha
    double alpha(int cell) const { return W_[cell + 1] - W_[cell]; }
    double velocity(int cell, double y) const { return W_[cell] + alpha(cell) * (y - cell); }

    Path trace(double y) const;
    double slope(const Path& path) const;  // dT/dy

    // Adds weight * dT/dW to a sum, which `finish` writes to gradient [cells + 1].
    void pull_back(const Path& path, double weight);
    void finish(double* gradient) const;

  private:
    void deposit(int cell, double weight, const Part& part, double base);

    int cells_;
    Vector<double> W_, growth_, crossing_;
    Vector<double> vertex_, entered_;  // sums of pull_back: at the vertices, and of the whole cells crossed
};

inline Flow::Flow(const double* W, int cells)
    : cells_(cells), W_(W, W + cells + 1), growth_(cells), crossing_(cells), vertex_(cells + 1), entered_(cells + 1) {
    for (int c = 0; c < cells; c++) {
        growth_[c] = phi1(alpha(c));
        bool passable = W[c] * W[c + 1] > 0;
        crossing_[c] = passable ? std::fabs(part(W[c], W[c + 1], 1).duration) : std::numeric_limits<double>::infinity();
    }
}

inline Path Flow::trace(double y) const {
    int outer = cells_ - 1;
    int cell = y >= 1 ? (y < outer ? static_cast<int>(y) : outer) : 0;
    double v = velocity(cell, y);
    if (v == 0) return {y, y, cell, cell};
    double alone = y + v * growth_[cell];
    int step = v > 0 ? 1 : -1, exit = v > 0 ? cell + 1 : cell;
    bool leaves = v > 0 ? alone > exit && cell < outer : alone < exit && cell > 0;
    // v has one sign along a path: that the vertex says otherwise is a rounding at a fixed point.
    if (!leaves || !(v * W_[exit] > 0)) return {y, alone, cell, cell};

    double left = std::fmax(1 - std::fabs(part(W_[exit], v, y - exit).duration), 0);
    int last = cell + step, end = v > 0 ? outer : 0;
    while (last != end && crossing_[last] < left) {
        left -= crossing_[last];
        last += step;
    }
    int entry = v > 0 ? last : last + 1;
    return {y, entry + W_[entry] * left * phi1(alpha(last) * left), cell, last};
}

inline double Flow::slope(const Path& path) const {
    if (path.first == path.last) return std::exp(alpha(path.first));
    return velocity(path.last, path.end) / velocity(path.first, path.start);
}

inline void Flow::deposit(int cell, double weight, const Part& part, double base) {
    double right = base * part.inverse + part.moment;
    vertex_[cell] += weight * (part.inverse - right);
    vertex_[cell + 1] += weight * right;
}

// dT/dW = v(T) times the integral from y to T of hat(s) / v(s)^2, hat = dv/dW: a part from y to the vertex where the
// path leaves its cell, whole cells, a part from the vertex where it enters its last one.
inline void Flow::pull_back(const Path& path, double weight) {
    int first = path.first, last = path.last;
    double v = velocity(first, path.start);
    if (first == last) {
        double u = path.start - first, curved = v == 0 ? 0 : v * bend(alpha(first));
        vertex_[first] += weight * ((1 - u) * growth_[first] - curved);
        vertex_[first + 1] += weight * (u * growth_[first] + curved);
        return;
    }
    int exit = v > 0 ? first + 1 : first, entry = v > 0 ? last : last + 1;
    double w = velocity(last, path.end);
    if (!(w * v > 0)) w = std::copysign(1e-150, v);  // rounded onto a fixed point, which no path reaches
    deposit(first, -weight * w, part(W_[exit], v, path.start - exit), exit - first);
    deposit(last, weight * w, part(W_[entry], w, path.end - entry), entry - last);
    entered_[exit] += weight * w;
    entered_[entry] -= weight * w;
}

inline void Flow::finish(double* gradient) const {
    for (int c = 0; c <= cells_; c++) gradient[c] = vertex_[c];
    double crossed = 0;
    for (int c = 0; c < cells_; c++) {
        crossed += entered_[c];
        // Where nothing crosses, the difference above is 0 but for its rounding, and the cell may be impassable.
        if (!(crossing_[c] < 1)) continue;
        Part whole = part(W_[c], W_[c + 1], 1);
        gradient[c] += crossed * (whole.inverse - whole.moment);
        gradient[c + 1] += crossed * whole.moment;
    }
}

}  // namespace afbench
