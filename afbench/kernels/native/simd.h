// Vectors of floats by the compiler's vector extensions: W lanes, as many as the instruction set has.
#pragma once

#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
#if defined(AFBENCH_AVX512) && defined(__GNUC__) && !defined(__clang__)
#pragma GCC diagnostic ignored "-Wmaybe-uninitialized"  // GCC 12 warns of its own header, 80 times
#endif
#include <immintrin.h>
#endif

namespace AFBENCH_ISA {

#if defined(AFBENCH_AVX512)
constexpr int W = 16;
#elif defined(AFBENCH_AVX2)
constexpr int W = 8;
#else
constexpr int W = 4;
#endif

typedef float Floats __attribute__((vector_size(4 * W)));
typedef int32_t Ints __attribute__((vector_size(4 * W)));  // also what comparing Floats gives: -1 or 0 a lane
typedef uint32_t Bits __attribute__((vector_size(4 * W)));
typedef uint16_t Halves __attribute__((vector_size(2 * W)));

#define INLINE static inline __attribute__((always_inline))
#define MEMBER inline __attribute__((always_inline))

struct bfloat16 {
    uint16_t bits;
};

INLINE Floats splat(float value) { return value - Floats{}; }

INLINE Floats load(const float* from) {
    Floats v;
    std::memcpy(&v, from, sizeof v);
    return v;
}

INLINE void store(float* to, Floats v) { std::memcpy(to, &v, sizeof v); }

// GCC 12 makes four instructions more of each conversion of eight lanes than there need be.
INLINE Floats load(const bfloat16* from) {
#if defined(AFBENCH_AVX2)
    return (Floats)_mm256_slli_epi32(_mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i*)from)), 16);
#else
    Halves h;
    std::memcpy(&h, from, sizeof h);
    return (Floats)(__builtin_convertvector(h, Bits) << 16);
#endif
}

// Rounds to nearest, ties to even; a NaN is cut off, and stays one if it is quiet, as all results of arithmetic are.
INLINE void store(bfloat16* to, Floats v) {
    Bits b = (Bits)v;
    Bits rounded = (b + ((0x7fff + ((b >> 16) & 1)) & (Bits)(v == v))) >> 16;
#if defined(AFBENCH_AVX2)
    __m256i r = (__m256i)rounded;
    _mm_storeu_si128((__m128i*)to, _mm_packus_epi32(_mm256_castsi256_si128(r), _mm256_extracti128_si256(r, 1)));
#else
    Halves h = __builtin_convertvector(rounded, Halves);
    std::memcpy(to, &h, sizeof h);
#endif
}

// The first n lanes; the others are 0. Through a buffer, since masked loads and stores are slow on some processors,
// so for tails alone.
template <class T>
INLINE Floats load_some(const T* from, int64_t n) {
    T buffer[W] = {};
    std::memcpy(buffer, from, n * sizeof(T));
    return load(buffer);
}

template <class T>
INLINE void store_some(T* to, Floats v, int64_t n) {
    T buffer[W];
    store(buffer, v);
    std::memcpy(to, buffer, n * sizeof(T));
}

INLINE Floats absolute(Floats v) { return (Floats)((Ints)v & 0x7fffffff); }

// -1, 0 or 1, and NaN for NaN, as torch.sign.
INLINE Floats sign(Floats v) { return v > 0 ? splat(1) : v < 0 ? splat(-1) : v; }

// v * sign(of), but for NaN.
INLINE Floats with_sign(Floats v, Floats of) {
    Bits flipped = (Bits)v ^ ((Bits)of & 0x80000000u);
    return (Floats)(flipped & (Bits)(of != 0));
}

// v where the mask is set, else 0.
INLINE Floats keep(Ints mask, Floats v) { return (Floats)(mask & (Ints)v); }

INLINE Ints first_lanes(int64_t n) {
    Ints lane;
    for (int i = 0; i < W; i++) lane[i] = i;
    return lane < (int32_t)n;
}

INLINE bool any(Ints mask) {
#if defined(AFBENCH_AVX512)
    return _mm512_movepi32_mask((__m512i)mask) != 0;
#elif defined(AFBENCH_AVX2)
    return _mm256_movemask_ps((__m256)mask) != 0;
#elif defined(__x86_64__)
    return _mm_movemask_ps((__m128)mask) != 0;
#else
    int32_t found = 0;
    for (int i = 0; i < W; i++) found |= mask[i];
    return found != 0;
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

// The sum of all lanes, by halves: with one chain through them all, rows of 49 elements took a quarter longer.
template <int N>
INLINE float sum_halves(const float* v) {
    if constexpr (N == 1) {
        return v[0];
    } else {
        typedef float Part __attribute__((vector_size(2 * N)));
        Part low, high;
        std::memcpy(&low, v, sizeof low);
        std::memcpy(&high, v + N / 2, sizeof high);
        low += high;
        float halves[N / 2];
        std::memcpy(halves, &low, sizeof low);
        return sum_halves<N / 2>(halves);
    }
}

INLINE float sum(Floats v) {
    float lanes[W];
    store(lanes, v);
    return sum_halves<W>(lanes);
}

// e^v = 2^n (1 + tail), with n near v / ln 2: the parts of which e^v and e^v - 1 are made.
struct Exponential {
    Floats power;  // 2^n; 0 below v = -87.7 or so, inf above 88.4
    Floats tail;   // e^r - 1 for r = v - n ln 2, |r| <= ln 2 / 2; within 4e-9 of it by the minimax polynomial
};

INLINE Exponential parts(Floats v) {
    // From 88.376 on n is 128 and 2^n inf: as 89, whose tail is positive; a negative one would give inf - inf.
    Floats held = v > 88.376f ? splat(89.0f) : v;
    held = held < -88.0f ? splat(-88.0f) : held;
    const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, left in the low bits
    Floats shifted = held * 1.44269504088896341f + magic;
    Floats n = shifted - magic;
    Floats r = held - n * 0.693359375f;  // ln 2 in two parts: n times the first is exact
    r = r + n * 2.12194440e-4f;
    Floats q = splat(1.3814599e-3f);
    q = q * r + 8.368717e-3f;
    q = q * r + 4.166839e-2f;
    q = q * r + 1.6666521e-1f;
    q = q * r + 4.9999994e-1f;
    Bits exponent = ((Bits)shifted + (127u - 0x4b400000u)) << 23;
    return {(Floats)exponent, q * (r * r) + r};
}

// e^v within 1 ulp where that is a normal float; 0 below it, inf above 88.376, NaN for NaN.
INLINE Floats exponential(Floats v) {
    Exponential e = parts(v);
    return v == v ? e.tail * e.power + e.power : v;
}

// e^v, and e^v - 1 with all its digits near 0, too; for v <= 0 (inf - inf is NaN above 88.4).
struct Exponentials {
    Floats whole, less_one;
};

INLINE Exponentials exponentials(Floats v) {
    Exponential e = parts(v);
    Floats whole = e.tail * e.power + e.power, less_one = e.tail * e.power + (e.power - 1.0f);
    return {v == v ? whole : v, v == v ? less_one : v};
}

// 1 / (1 + e^-v): 0 and 1 at the ends.
INLINE Floats sigmoid(Floats v) { return 1.0f / (1.0f + exponential(-v)); }

}  // namespace AFBENCH_ISA
