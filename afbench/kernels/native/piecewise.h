// Evaluates cubic pieces with free knots, and sums the moments of their elements. It knows nothing of where the pieces
// come from. Works on runs of whole vectors; see Chunk for the rest.
#pragma once

#include <type_traits>

#include "simd.h"
#include "table.h"

namespace AFBENCH_ISA {

using afbench::Table;

// table[index[lane]] for every lane; `pick` takes the index modulo N, the number of entries, and holds them in registers.
#if defined(AFBENCH_AVX512)

template <int N>
INLINE Floats pick(const float* table, Ints index) {
    const __m512i i = (__m512i)index;
    if constexpr (N <= W) {
        return (Floats)_mm512_permutexvar_ps(i, (__m512)load(table));
    } else if constexpr (N == 2 * W) {
        return (Floats)_mm512_permutex2var_ps((__m512)load(table), i, (__m512)load(table + W));
    } else {
        static_assert(N == 4 * W);
        Floats low = pick<2 * W>(table, index), high = pick<2 * W>(table + 2 * W, index);
        return (index & (2 * W)) != 0 ? high : low;
    }
}

INLINE Floats gather(const float* table, Ints index) {
    return (Floats)_mm512_i32gather_ps((__m512i)index, table, 4);
}

#elif defined(AFBENCH_AVX2)

INLINE Floats by_bit(Ints index, int bit, Floats low, Floats high) {
    __m256i sign = _mm256_slli_epi32((__m256i)index, 31 - bit);
    return (Floats)_mm256_blendv_ps((__m256)low, (__m256)high, _mm256_castsi256_ps(sign));
}

template <int N>
INLINE Floats pick(const float* table, Ints index) {
    if constexpr (N <= W)
        return (Floats)_mm256_permutevar8x32_ps((__m256)load(table), (__m256i)index);
    else if constexpr (N == 2 * W)
        return by_bit(index, 3, pick<W>(table, index), pick<W>(table + W, index));
    else
        return by_bit(index, 4, pick<2 * W>(table, index), pick<2 * W>(table + 2 * W, index));
}

INLINE Floats gather(const float* table, Ints index) {
    return (Floats)_mm256_i32gather_ps(table, (__m256i)index, 4);
}

#else

template <int N>
INLINE Floats pick(const float* table, Ints index) {
    Floats found;
    for (int lane = 0; lane < W; lane++) found[lane] = table[index[lane] & (N - 1)];
    return found;
}

INLINE Floats gather(const float* table, Ints index) {
    Floats found;
    for (int lane = 0; lane < W; lane++) found[lane] = table[index[lane]];
    return found;
}

#endif

#if defined(AFBENCH_AVX2) || defined(AFBENCH_AVX512)
// Four rows of four, in either half.
INLINE void transpose(__m256 r[4]) {
    __m256 a = _mm256_unpacklo_ps(r[0], r[1]), b = _mm256_unpackhi_ps(r[0], r[1]);
    __m256 c = _mm256_unpacklo_ps(r[2], r[3]), d = _mm256_unpackhi_ps(r[2], r[3]);
    r[0] = _mm256_shuffle_ps(a, c, 0x44);
    r[1] = _mm256_shuffle_ps(a, c, 0xee);
    r[2] = _mm256_shuffle_ps(b, d, 0x44);
    r[3] = _mm256_shuffle_ps(b, d, 0xee);
}
#endif

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

// The smaller and the larger one; v if either is NaN. The compiler makes two instructions of `bound < v ? bound : v`.
INLINE Floats smaller(Floats bound, Floats v) {
#if defined(AFBENCH_AVX512)
    return (Floats)_mm512_min_ps((__m512)bound, (__m512)v);
#elif defined(AFBENCH_AVX2)
    return (Floats)_mm256_min_ps((__m256)bound, (__m256)v);
#else
    return bound < v ? bound : v;
#endif
}

// yes where the mask is set, else no. `mask ? yes : no` makes GCC 12 compare a second time, the other way.
INLINE Floats choose(Ints mask, Floats yes, Floats no) {
#if defined(AFBENCH_AVX2) && !defined(AFBENCH_AVX512)
    return (Floats)_mm256_blendv_ps((__m256)no, (__m256)yes, (__m256)mask);
#else
    return mask ? yes : no;
#endif
}

INLINE Floats larger(Floats bound, Floats v) {
#if defined(AFBENCH_AVX512)
    return (Floats)_mm512_max_ps((__m512)bound, (__m512)v);
#elif defined(AFBENCH_AVX2)
    return (Floats)_mm256_max_ps((__m256)bound, (__m256)v);
#else
    return bound > v ? bound : v;
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
