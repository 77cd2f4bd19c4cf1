// The CPAB flow T(y) = phi(y; 1) in closed form and in double, one point at a time, with its derivatives.
//
// Lengths are counted in cells, as in cpab.py: the velocity is W[c] at vertex c = 0, ..., cells, linear in between, and
// the outer cells reach to infinity. Within a cell of slope alpha a path goes y + v(y) (e^(alpha t) - 1) / alpha.
#pragma once

#include <vector>

namespace afbench {

// The integrals over s from a vertex to an end a gap away, where the velocity goes from v to w, of one sign.
struct Part {
    double duration;  // of 1 / v(s)
    double inverse;   // of 1 / v(s)^2
    double moment;    // of (s - vertex) / v(s)^2
};

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
    std::vector<double> W_, growth_, crossing_;
    std::vector<double> vertex_, entered_;  // sums of pull_back: at the vertices, and of the whole cells crossed
};

}  // namespace afbench
