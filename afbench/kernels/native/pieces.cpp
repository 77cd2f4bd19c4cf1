// Fits a DiTAC activation by cubic pieces, and holds them.
#include "pieces.h"

#include <algorithm>

#include "exact.h"

namespace afbench {
namespace {

constexpr int TABLE_SIZES[] = {32, 64, 128, 512, LARGEST_TABLE};
constexpr double TOLERANCE = 1e-5;  // of b - a, the largest error of a table
constexpr int UNIFORM = 62;         // pieces of the coarse table, with two tails a vector register's worth of 64

constexpr float GELU_ENDS = 3;  // beyond +-3, where one element in 370 of N(0, 1) is, GELU is computed
constexpr double SLOPE_TOLERANCE = 1e-4;  // of the slope, the root mean square over all pieces
constexpr size_t LARGEST_FOR_SLOPE = 64;  // what a table may grow to for the sake of the slope alone

struct Piece {
    float knot;   // where it begins: at this x or above, up to the next piece's knot
    double c[4];
};

}  // namespace

class Ditac : Exact {
  public:
    Ditac(const DitacSettings& settings, const float* theta)
        : Exact(settings, theta), velocity_gradient_(s_.cells + 1) {
        tabled_ = (s_.uniform && build_uniform()) || build(theta);
        table_.gelu_below = s_.variant == DITAC || s_.variant == GE_DITAC ? begin_ : -INFINITY;
        table_.gelu_from = s_.variant == DITAC ? end_ : NAN;
    }

    const Table* table() const { return tabled_ ? &table_ : nullptr; }

    Point value(double x) const { return evaluate(x, inside(x)); }

    void pull_back(double x, double weight) {
        if (inside(x)) flow_.pull_back(path(x), weight);
    }

    void contract(const double (*moments)[4]) {
        for (size_t i = 0; i < fits_.size(); i++)  // the first piece is below all fits
            if (fits_[i].inside) pull_back(fits_[i], moments[i + 1]);
        if (s_.variant != INF_DITAC) return;
        // Affine in x beyond the last kinks, so two points tell all.
        const double *below = moments[0], *above = moments[pieces() - 1];
        flow_.pull_back(path(begin_), below[0] + below[1] / cell_);
        flow_.pull_back(path(begin_ - cell_), -below[1] / cell_);
        flow_.pull_back(path(end_), above[0] - above[1] / cell_);
        flow_.pull_back(path(end_ + cell_), above[1] / cell_);
    }

    void gradient(float* theta) {
        double* W = velocity_gradient_.data();
        flow_.finish(W);
        for (int j = 0; j < s_.parameters; j++) {
            double sum = 0;
            for (int c = 0; c <= s_.cells; c++) sum += s_.vertices[c * s_.parameters + j] * W[c];
            theta[j] = static_cast<float>(sum * (s_.b - s_.a));  // W counts in cells, x does not
        }
    }

  private:
    size_t pieces() const { return fits_.size() + 2; }

    // The ends of the pieces to begin with. T has kinks in its second derivative at the vertices, and at what flows to
    // them in time 1; f at a and b as well.
    Vector<float> knots(const float* theta) const {
        Vector<double> W = velocities(s_, theta);
        for (double& v : W) v = -v;
        Flow back(W.data(), s_.cells);
        Vector<float> found;
        bool bounded = s_.variant != INF_DITAC;
        for (int c = 1; c < s_.cells; c++)
            for (double y : {static_cast<double>(c), back.trace(c).end}) {
                float x = static_cast<float>(s_.a + cell_ * y);
                if (std::isnan(x)) return {x};  // of theta; the closed form gives it back
                if (!bounded || (x > s_.first && x < s_.last)) found.push_back(x);
            }
        if (bounded) {
            found.push_back(s_.first);
            found.push_back(std::nextafter(s_.last, INFINITY));
            auto outside = [&](float x) {
                if (x < s_.first || x > s_.last) found.push_back(x);
            };
            if (s_.variant != DITAC) outside(0);
            if (s_.variant != LEAKY_DITAC) outside(-GELU_ENDS);
            if (s_.variant == DITAC) outside(GELU_ENDS);
            // GELU's fourth derivative is 0 here: a piece with this in its middle seems to have no error.
            if (s_.variant == DITAC || s_.variant == GE_DITAC) outside(-2.5243f), outside(-0.7923f);
            if (s_.variant == DITAC) outside(0.7923f), outside(2.5243f);
        }
        std::sort(found.begin(), found.end());
        found.erase(std::unique(found.begin(), found.end()), found.end());
        return found;
    }

    bool build(const float* theta) {
        Vector<float> knot = knots(theta);
        begin_ = knot.front(), end_ = knot.back();
        if (!std::isfinite(end_ - begin_)) return false;
        fits_.reserve(64);
        for (size_t i = 0; i + 1 < knot.size(); i++) {
            Fit fit{knot[i], knot[i + 1], inside(knot[i]), {NAN, NAN, NAN, NAN}, {}, 0, 0, 0, 0, false};
            if (i && fits_.back().inside == fit.inside) fit.f[0] = fits_.back().f[3], fit.gate[0] = fits_.back().gate[3];
            measure(fit);
            fits_.push_back(fit);
        }
        if (!split()) return false;
        std::sort(fits_.begin(), fits_.end(), [](const Fit& p, const Fit& q) { return p.left < q.left; });

        Vector<Piece> pieces = {below()};
        for (const Fit& fit : fits_) pieces.push_back(cubic(fit));
        pieces.push_back(above());
        store(pieces, {});
        return true;
    }

    // Splits the worst fit until all are good enough, and while there are pieces that would go unused: first where f is
    // too far away, then where f' is.
    bool split() {
        double tolerance = TOLERANCE * (s_.b - s_.a), slope_error = 0, slope_tolerance = 0;
        auto worst = [tolerance](const Fit& p, const Fit& q) {
            bool far = p.error > tolerance || q.error > tolerance;
            return far ? p.error < q.error : p.slope_error < q.slope_error;
        };
        std::make_heap(fits_.begin(), fits_.end(), worst);
        for (const Fit& fit : fits_) {
            double rise = fit.f[3] - fit.f[0];
            slope_error += fit.slope_error;
            slope_tolerance += SLOPE_TOLERANCE * SLOPE_TOLERANCE * rise * rise / fit.width();
        }
        size_t size = 32;
        while (!fits_.empty()) {
            while (size < pieces()) size *= 2;
            bool good = fits_.front().error <= tolerance && (slope_error <= slope_tolerance || size > LARGEST_FOR_SLOPE);
            if (good && (pieces() == size || slope_error < slope_tolerance / 16)) break;
            if (fits_.front().error == 0 && fits_.front().slope_error == 0) break;
            if (pieces() >= LARGEST_TABLE) return false;
            std::pop_heap(fits_.begin(), fits_.end(), worst);
            Fit whole = fits_.back();
            fits_.pop_back();
            Fit left = whole, right = whole;
            left.right = right.left = whole.middle();
            left.f[3] = right.f[0] = whole.f_middle;
            left.gate[3] = right.gate[0] = whole.gate_middle;
            for (Fit* half : {&left, &right}) {
                half->f[1] = half->f[2] = NAN;
                measure(*half);
            }
            slope_error += left.slope_error + right.slope_error - whole.slope_error;
            for (const Fit& half : {left, right}) {
                fits_.push_back(half);
                std::push_heap(fits_.begin(), fits_.end(), worst);
            }
        }
        return true;
    }

    Piece cubic(const Fit& fit) const {
        Piece piece{fit.left, {0, 0, 0, 0}};
        if (fit.linear) {
            piece.c[0] = fit.f[0];
            piece.c[1] = evaluate(fit.at(0.5), fit.inside).slope;  // a difference over h has no digits
            return piece;
        }
        double scale = 1;
        for (int k = 0; k < 4; k++, scale /= fit.width())
            for (int node = 0; node < 4; node++) piece.c[k] += LAGRANGE[node][k] * fit.f[node] * scale;
        return piece;
    }

    Piece below() const {
        if (s_.variant == INF_DITAC) return {begin_, {evaluate(begin_, true).f, std::exp(flow_.alpha(0)), 0, 0}};
        return {0, {0, s_.variant == LEAKY_DITAC ? 0.01 : 0, 0, 0}};
    }

    Piece above() const {
        if (s_.variant != INF_DITAC) return {end_, {end_, 1, 0, 0}};
        return {end_, {evaluate(end_, true).f, std::exp(flow_.alpha(s_.cells - 1)), 0, 0}};
    }

    // Pieces of one width, by values and slopes at their ends, with a and b among them. Not where f jumps there by T,
    // for a product finds no place exactly, nor where the outside is not affine.
    bool build_uniform() {
        bool fixed = flow_.velocity(0, 0) == 0 && flow_.velocity(s_.cells - 1, s_.cells) == 0;
        if (!fixed || (s_.variant == LEAKY_DITAC && !(s_.first <= 0 && s_.last >= 0))) return false;
        if (s_.variant == GE_DITAC && s_.first != 0) return false;
        double length = static_cast<double>(s_.last) - s_.first, before = 0, after = 0;
        if (s_.variant == DITAC || s_.variant == GE_DITAC) before = std::max(s_.first + GELU_ENDS, 0.0f) / length;
        if (s_.variant == DITAC) after = std::max(GELU_ENDS - s_.last, 0.0f) / length;
        int count = UNIFORM;
        while (count > 0 && std::ceil(count * before) + count + std::ceil(count * after) > UNIFORM) count--;
        if (count == 0) return false;
        int start = static_cast<int>(std::ceil(count * before)), pieces_after = static_cast<int>(std::ceil(count * after));
        int total = start + count + pieces_after;
        float width = static_cast<float>(length / count);
        begin_ = static_cast<float>(s_.first - start * static_cast<double>(width));
        end_ = after > 0 ? static_cast<float>(begin_ + total * static_cast<double>(width)) : s_.last;

        double h = width;
        Vector<Piece> pieces = {below()};
        pieces[0].c[0] += (begin_ - h - pieces[0].knot) * pieces[0].c[1];
        Point left{}, right{};
        for (int i = 0; i < total; i++) {
            double x = begin_ + i * h;
            bool inside = i >= start && i < start + count;
            left = i == 0 || i == start || i == start + count ? evaluate(x, inside) : right;
            bool below_zero = s_.variant == GE_DITAC && !inside;  // GELU's slope at 0, not that of x
            right = evaluate(below_zero ? std::min(x + h, -1e-12) : x + h, inside);
            double rise = (right.f - left.f) / h;
            pieces.push_back({static_cast<float>(x),
                              {left.f, left.slope, (3 * rise - 2 * left.slope - right.slope) / h,
                               (left.slope + right.slope - 2 * rise) / (h * h)}});
            fits_.push_back({static_cast<float>(x), static_cast<float>(x + h), inside, {left.f, 0, 0, right.f},
                             {left.gate, 0, 0, right.gate}, 0, 0, 0, 0, true});
            if (!std::isfinite(right.f + right.slope)) return fits_.clear(), false;
        }
        pieces.push_back(above());
        pieces.back().c[0] += (begin_ + total * h - end_) * pieces.back().c[1];
        store(pieces, {begin_, end_, width, total});
        return true;
    }

    void pull_back(const Fit& fit, const double* m) {
        double h = fit.width(), scaled[4] = {m[0], m[1] / h, m[2] / h / h, m[3] / h / h / h};
        if (fit.linear) {
            flow_.pull_back(path(fit.left), (scaled[0] - scaled[1]) * fit.gate[0]);
            flow_.pull_back(path(fit.right), scaled[1] * fit.gate[3]);
            return;
        }
        for (int node = 0; node < 4; node++) {
            double weight = 0;
            for (int k = 0; k < 4; k++) weight += LAGRANGE[node][k] * scaled[k];
            flow_.pull_back(path(fit.at(node / 3.0)), weight * fit.gate[node]);
        }
    }

    // The pieces in order; the first one's knot is only where its t begins.
    void store(const Vector<Piece>& pieces, Grid grid) {
        int used = static_cast<int>(pieces.size()), size = 0;
        for (int known : TABLE_SIZES)
            if (size < used) size = known;
        numbers_.assign(9 * size + 4, 0.0f);
        float* start = numbers_.data();
        while (reinterpret_cast<uintptr_t>(start) % 16) start++;  // rows are loaded whole
        float *rows = start, *columns = rows + 4 * size, *heap = columns + 4 * size;
        for (int i = 0; i < used; i++)
            for (int k = 0; k < 4; k++) rows[4 * i + k] = columns[k * size + i] = static_cast<float>(pieces[i].c[k]);
        for (int node = 1, level = 1; level < size; level *= 2)
            for (int i = 0; i < level; i++, node++) {
                int piece = (2 * i + 1) * (size / (2 * level));
                heap[node] = piece < used ? pieces[piece].knot : NAN;
            }
        table_ = {size, heap, reinterpret_cast<const float(*)[4]>(rows), columns, pieces[0].knot, grid, 0, 0};
    }

    Vector<double> velocity_gradient_;
    float begin_ = 0, end_ = 0;  // beyond which there are tails
    Vector<Fit> fits_;
    Table table_;
    Vector<float> numbers_;  // the table's
    bool tabled_ = false;
};

Ditac* ditac_build(const DitacSettings& settings, const float* theta) {
    void* memory = afbench_allocate(sizeof(Ditac));
    if (!memory) return nullptr;
    try {
        return new (memory) Ditac(settings, theta);
    } catch (const std::bad_alloc&) {
        afbench_release(memory);
        return nullptr;
    }
}

void ditac_free(Ditac* ditac) {
    ditac->~Ditac();
    afbench_release(ditac);
}

const Table* ditac_table(const Ditac* ditac) { return ditac->table(); }

double ditac_value(const Ditac* ditac, float x, double* slope) {
    Point point = ditac->value(x);
    *slope = point.slope;
    return point.f;
}

void ditac_pull_back(Ditac* ditac, float x, double weight) { ditac->pull_back(x, weight); }
void ditac_contract(Ditac* ditac, const double (*moments)[4]) { ditac->contract(moments); }
void ditac_gradient(Ditac* ditac, float* theta) { ditac->gradient(theta); }

}  // namespace afbench
