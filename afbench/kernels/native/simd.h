// Vectors of floats by the compiler's vector extensions: W lanes, as many as the instruction set has.
#pragma once

#include <cstdint>
#include <cstring>
#if defined(__x86_64__)
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

INLINE Floats load(const bfloat16* from) {
    Halves h;
    std::memcpy(&h, from, sizeof h);
    return (Floats)(__builtin_convertvector(h, Bits) << 16);
}

// Rounds to nearest, ties to even; a NaN stays one, although its payload may be lost.
INLINE void store(bfloat16* to, Floats v) {
    Bits b = (Bits)v;
    Bits rounded = (b + 0x7fff + ((b >> 16) & 1)) >> 16;
    Halves h = __builtin_convertvector(v == v ? rounded : (b >> 16) | 0x40, Halves);
    std::memcpy(to, &h, sizeof h);
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

// The sum of all lanes, in double.
INLINE double sum(Floats v) {
    double total = 0;
    for (int i = 0; i < W; i++) total += v[i];
    return total;
}

// e^v within 1 ulp where the result is a normal float; 0 below about -87.3, inf above about 88.4, NaN for NaN.
// v = n ln 2 + r with |r| <= ln 2 / 2; e^r by the polynomial that is nearest to it there; n goes into the exponent.
INLINE Floats exponential(Floats v) {
    Floats held = v > 89.0f ? splat(89.0f) : v;
    held = held < -88.0f ? splat(-88.0f) : held;
    const float magic = 12582912.0f;  // 1.5 * 2^23: adding it rounds to an integer, left in the low bits
    Floats shifted = held * 1.44269504088896341f + magic;
    Floats n = shifted - magic;
    Floats r = held - n * 0.693359375f;  // ln 2 in two parts, so that n times the first is exact
    r = r + n * 2.12194440e-4f;
    Floats p = splat(1.9875691500e-4f);
    p = p * r + 1.3981999507e-3f;
    p = p * r + 8.3334519073e-3f;
    p = p * r + 4.1665795894e-2f;
    p = p * r + 1.6666665459e-1f;
    p = p * r + 5.0000001201e-1f;
    p = p * (r * r) + r + 1.0f;
    Bits exponent = ((Bits)shifted + (127u - 0x4b400000u)) << 23;  // 2^n: 0 for n = -127, inf for n = 128
    return v == v ? p * (Floats)exponent : v;
}

// 1 / (1 + e^-v): 0 and 1 at the ends.
INLINE Floats sigmoid(Floats v) { return 1.0f / (1.0f + exponential(-v)); }

}  // namespace AFBENCH_ISA
