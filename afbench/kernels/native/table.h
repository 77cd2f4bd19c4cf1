// A function given by cubic pieces with free knots, as the evaluator in piecewise.h takes it. Who builds the pieces is
// another matter: warp.cpp fits them to a flow; splines and piecewise linear units have them at once.
#pragma once

#include <vector>

namespace afbench {

struct Piece {
    float knot;      // where it begins: at this x or above, up to the next piece's knot
    double c[4];     // c0 + t (c1 + t (c2 + t c3)) with t = x - knot
};

// Knots at begin, begin + width, ..., but for the first piece's, and above end the last piece: each is found by a
// product, without the tree. A width of 0: there is no such order.
struct Grid {
    float begin = 0, end = 0, width = 0;
    int pieces = 0;  // between begin and end
};

constexpr int TABLE_SIZES[] = {32, 64, 128, 512, 4096};

struct Table {
    int size = 0;                            // pieces, filled up to one of the sizes
    const float* heap = nullptr;             // [size]: from 1 on, all knots but the first, as a search tree laid out
                                             // like a binary heap; NaN, which no x reaches, where there is no piece
    const float (*pieces)[4] = nullptr;      // [size]: c0, ..., c3
    const float* columns = nullptr;          // [4, size]: the same
    float origin = 0;                        // the knot of the first piece, which reaches to -inf
    Grid grid;
};

// Owns what a Table points to.
class TableStorage {
  public:
    // The pieces in order, at most as many as the largest size; the first one's knot is only where its t begins.
    void set(const std::vector<Piece>& pieces, Grid grid = {});
    const Table& table() const { return table_; }

  private:
    Table table_;
    std::vector<float> numbers_;
};

}  // namespace afbench
