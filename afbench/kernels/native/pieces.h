// A DiTAC activation y = f(x), as cubic pieces with free knots or in closed form: a flow T inside [a, b], times Phi(x)
// where the variant has that, and something simpler outside. pieces.cpp, compiled once and in double, fits the pieces;
// what runs for every element is here: it finds each one's piece, evaluates it, and sums moments.
//
// The table is that of f, not of T: Phi for every element, by an exponential, a division and 12 products, cost as much
// as GELU itself on AVX2, where the table as a whole costs less. The few x beyond +-3 are computed, so that the tail,
// which goes to 0, keeps its digits.
#pragma once

#include "simd.h"

namespace afbench {

// Knots at begin, begin + width, ..., but for the first piece's, and above end the last piece: each is found by a
// product, without the tree. A width of 0: there is no such order.
struct Grid {
    float begin = 0, end = 0, width = 0;
    int pieces = 0;  // between begin and end
};

constexpr int LARGEST_TABLE = 4096;  // pieces

struct Table {
    int size = 0;                            // pieces, filled up to 32, 64, 128, 512 or 4096
    const float* heap = nullptr;             // [size]: from 1 on, all knots but the first, as a search tree laid out
                                             // like a binary heap; NaN, which no x reaches, where there is no piece
    const float (*pieces)[4] = nullptr;      // [size]: c0, ..., c3 of c0 + t (c1 + t (c2 + t c3)), t = x - knot
    const float* columns = nullptr;          // [4, size]: the same
    float origin = 0;                        // the knot of the first piece, which reaches to -inf
    Grid grid;
    // Below the one and from the other on the table means nothing: y is GELU(x). -inf and NaN, which no x meets, where
    // a variant has no GELU.
    float gelu_below = 0, gelu_from = 0;
};

enum Variant { DITAC, GE_DITAC, LEAKY_DITAC, INF_DITAC };
inline constexpr const char* VARIANTS[] = {"ditac", "ge_ditac", "leaky_ditac", "inf_ditac"};

struct DitacSettings {
    int cells, parameters;  // theta [parameters], vertices [cells + 1, parameters] of `vertex_basis`
    const double* vertices;
    double a, b;
    float first, last;      // a and b rounded to the input's dtype, both inside
    Variant variant;
    bool uniform;           // a coarser table, whose pieces are found without a search, where the variant allows it
};

// f for one theta.
class Ditac;

Ditac* ditac_build(const DitacSettings& settings, const float* theta);  // null if there is no memory
void ditac_free(Ditac* ditac);

// Null if no table of at most LARGEST_TABLE pieces is within 1e-5 (b - a) of f.
const Table* ditac_table(const Ditac* ditac);

double ditac_value(const Ditac* ditac, float x, double* slope);

// Adds to the gradient of theta: weight * df/dtheta at x; or the sums [size, 4] over each piece's elements of
// weight * t^k times the coefficients of t^k in df/dtheta.
void ditac_pull_back(Ditac* ditac, float x, double weight);
void ditac_contract(Ditac* ditac, const double (*moments)[4]);
void ditac_gradient(Ditac* ditac, float* theta);

}  // namespace afbench

namespace AFBENCH_ISA {

using afbench::Table;

// The coefficients of W pieces, whose offsets are in bytes. Four gathers would be 156 micro-operations on a Zen 3; eight
// loads of a row each, and their transpose, are 32.
INLINE void rows(const float (*pieces)[4], const int32_t* offsets, Floats c[4]) {
    const char* base = reinterpret_cast<const char*>(pieces);
#if defined(AFBENCH_AVX2) && !defined(AFBENCH_AVX512)
    auto row = [&](int lane) { return _mm_load_ps(reinterpret_cast<const float*>(base + offsets[lane])); };
    auto pair = [&](int lane) { return _mm256_insertf128_ps(_mm256_castps128_ps256(row(lane)), row(lane + 4), 1); };
    __m256 r[4] = {pair(0), pair(1), pair(2), pair(3)};
    transpose(r);
    for (int k = 0; k < 4; k++) c[k] = (Floats)r[k];
#else
    float lanes[4][W];
    for (int lane = 0; lane < W; lane++)
        for (int k = 0; k < 4; k++) lanes[k][lane] = reinterpret_cast<const float*>(base + offsets[lane])[k];
    for (int k = 0; k < 4; k++) c[k] = load(lanes[k]);
#endif
}

// Finds each lane's piece in the search tree, the upper levels of which stay in registers. U vectors at once: a search
// is a chain of some 60 cycles, and one by one a processor's schedulers hold two or three.
struct Tree {
    template <int U>
    INLINE void find(const Table& table, const Floats* x, Ints* piece, Floats* knot) {
        for (int u = 0; u < U; u++) piece[u] = Ints{} + 1, knot[u] = splat(table.origin);
        upper<1, U>(table.heap, x, piece, knot);
        if (table.size > 32) level<U>(pick<32>, table.heap + 32, x, piece, knot);
        for (int n = 64; n < table.size; n *= 2)
            level<U>([](const float* heap, Ints node) __attribute__((always_inline)) { return gather(heap, node); },
                     table.heap, x, piece, knot);
        for (int u = 0; u < U; u++) piece[u] -= table.size;
    }

    // The N nodes of this level are heap[N], ..., heap[2 N - 1]. Every tree has these.
    template <int N, int U>
    INLINE void upper(const float* heap, const Floats* x, Ints* node, Floats* knot) {
        if constexpr (N < 32) {
            if constexpr (N == 1)
                level<U>([](const float* from, Ints) { return splat(from[1]); }, heap, x, node, knot);
            else if constexpr (2 * N <= W)
                level<U>(pick<W>, heap, x, node, knot);
            else
                level<U>(pick<N>, heap + N, x, node, knot);
            upper<2 * N, U>(heap, x, node, knot);
        }
    }

    template <int U, class Pick>
    INLINE void level(Pick&& knots, const float* heap, const Floats* x, Ints* node, Floats* knot) {
        for (int u = 0; u < U; u++) {
            Floats here = knots(heap, node[u]);
            Ints right = x[u] >= here;
            knot[u] = choose(right, here, knot[u]);  // in the end, the last knot that is not above x
            node[u] = node[u] + node[u] - right;
        }
    }
};

// Knows each lane's piece by a product, for knots at equal distances.
struct Product {
    template <int U>
    INLINE void find(const Table& table, const Floats* x, Ints* piece, Floats* knot) {
        const afbench::Grid& grid = table.grid;
        const float pieces = 1.0f / grid.width, last = static_cast<float>(grid.pieces - 1);
        for (int u = 0; u < U; u++) {
            Floats place = larger(splat(0), smaller(splat(last), (x[u] - grid.begin) * pieces));
            place = x[u] == x[u] ? place : splat(0);
            piece[u] = __builtin_convertvector(place, Ints) - (x[u] >= grid.begin) - (x[u] > grid.end);
            knot[u] = grid.begin + (__builtin_convertvector(piece[u], Floats) - 1.0f) * grid.width;
        }
    }
};

constexpr int TOGETHER = 2;  // vectors

// Each x's piece, as the offset of its row in bytes, and t = x - its knot; n is a multiple of TOGETHER vectors.
template <class Search>
void find(const Table& table, const float* x, int64_t n, int32_t* offsets, float* ts) {
    for (int64_t i = 0; i < n; i += TOGETHER * W) {
        Floats at[TOGETHER], knot[TOGETHER];
        Ints piece[TOGETHER];
        for (int u = 0; u < TOGETHER; u++) at[u] = load(x + i + u * W);
        Search::template find<TOGETHER>(table, at, piece, knot);
        for (int u = 0; u < TOGETHER; u++) {
            piece[u] = piece[u] * 16;
            std::memcpy(offsets + i + u * W, &piece[u], sizeof piece[u]);
            store(ts + i + u * W, at[u] - knot[u]);
        }
    }
}

// f, or f' times a factor, from what `find` found.
// SIZE: of a table whose columns are read from registers, or 0.
template <bool SLOPE, int SIZE>
void evaluate_sized(const Table& table, const int32_t* offsets, const float* ts, int64_t n, const float* factor, float* to) {
    for (int64_t i = 0; i < n; i += W) {
        Floats c[4] = {}, t = load(ts + i);
        if constexpr (SIZE > 0) {
            Ints piece;
            std::memcpy(&piece, offsets + i, sizeof piece);
            for (int k = 0; k < 4; k++) c[k] = pick<SIZE>(table.columns + k * SIZE, piece >> 4);
        } else {
            rows(table.pieces, offsets + i, c);
        }
        // The outer pieces have c2 = c3 = 0, which infinity would make NaN; below, it is multiplied by 3.
        Floats held = larger(splat(-1e38f), smaller(splat(1e38f), t));
        if constexpr (SLOPE)
            store(to + i, load(factor + i) * (c[1] + held * (2.0f * c[2] + 3.0f * held * c[3])));
        else
            store(to + i, c[0] + t * (c[1] + held * (c[2] + held * c[3])));
    }
}

template <bool SLOPE>
void evaluate(const Table& table, const int32_t* offsets, const float* ts, int64_t n, const float* factor, float* to) {
#if defined(AFBENCH_AVX512)
    if (table.size == 32) return evaluate_sized<SLOPE, 32>(table, offsets, ts, n, factor, to);
    if (table.size == 64) return evaluate_sized<SLOPE, 64>(table, offsets, ts, n, factor, to);
#endif
    evaluate_sized<SLOPE, 0>(table, offsets, ts, n, factor, to);
}

// Adds w, w t, w t^2, w t^3 to the sums of each one's piece, [size * COPIES, 4]. Lanes have sums of their own as far as
// there are copies: neighbours are often in one piece, and each addition would wait for the last one's store.
template <int COPIES>
void deposit(const float* w, const float* ts, const int32_t* offsets, int64_t n, float (*sums)[4]) {
    auto sum = [&](int64_t i) {
        return reinterpret_cast<float*>(reinterpret_cast<char*>(sums) + COPIES * static_cast<int64_t>(offsets[i])) +
               4 * (i % COPIES);
    };
#if defined(AFBENCH_AVX2) || defined(AFBENCH_AVX512)
    auto add = [&](int64_t i, __m128 moments) { _mm_store_ps(sum(i), _mm_add_ps(_mm_load_ps(sum(i)), moments)); };
    for (int64_t i = 0; i < n; i += 8) {
        __m256 t = _mm256_loadu_ps(ts + i), m[4] = {_mm256_loadu_ps(w + i)};
        for (int k = 1; k < 4; k++) m[k] = _mm256_mul_ps(m[k - 1], t);
        transpose(m);
        for (int lane = 0; lane < 4; lane++) {
            add(i + lane, _mm256_castps256_ps128(m[lane]));
            add(i + lane + 4, _mm256_extractf128_ps(m[lane], 1));
        }
    }
#else
    for (int64_t i = 0; i < n; i++) {
        float m = w[i];
        for (int k = 0; k < 4; k++, m *= ts[i]) sum(i)[k] += m;
    }
#endif
}

}  // namespace AFBENCH_ISA
