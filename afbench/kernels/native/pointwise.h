// The generator: makes forward and backward, with the gradients of the parameters, from a function of one element.
//
// A function F has
//     int size()                                   how many numbers it computes with, at most F::MOST
//     Floats value(Floats x, const Floats* p)      y
//     Floats backward(Floats g, Floats x, const Floats* p, Floats* dp)
//                                                  g dy/dx; it adds g dy/dp to dp for every number, which takes one
//                                                  instruction where it is a product
//     void pack(const double* raw, float* p)       those numbers from the parameters of one group
//     void unpack(const double* raw, const double* dp, double* draw)
//                                                  and the parameters' gradients from the numbers'
//     int raw()                                    how many parameters a group has
//     F::FIXED                                     whether size() is F::MOST always
//     F::LANES                                     whether there are kernels for lanes, see below
//
// A group is one channel of one batch; pointwise.cpp knows where those are.
//
// Each loop has one body, tails included: with the function's formula inlined three times over, building the library
// took a minute and a half of the processor's time.
#pragma once

#include <utility>

#include "library.h"
#include "message.h"
#include "simd.h"

namespace afbench {

// n elements at x; with g, the gradient of y, backward: to dx, else to y.
struct Span {
    const void *x, *g;
    void* y;
    int64_t n;
};

// A function as loops over elements, as the code around them takes it, which is compiled once, for it would give the
// compiler more to do than the loops. Loops in pairs are for float32 and bfloat16.
struct Kernel {
    // So many runs of `span.n` elements, one behind the other, each with the numbers of a group of its own; backward
    // writes its sums of dp. With one call a run, rows of 49 elements took half as long again.
    using Run = void (*)(const void* function, const float* numbers, Span span, float* sums, int64_t count);
    // Rows of `period` elements, each element with numbers of its own at [k][i] of the table; the last row may end
    // early. Backward adds dp to `sums`, a table like the other.
    using Lanes = void (*)(const void* function, const float* table, int64_t period, Span span, float* sums);

    const void* function;  // what all of these are given
    void (*pack)(const void* function, const double* raw, float* p);
    void (*unpack)(const void* function, const double* raw, const double* dp, double* draw);
    Run forward[2], backward[2];
    Lanes lanes_forward[2], lanes_backward[2];  // or null
    int64_t size, raw, width;                   // width: elements of a vector
};

// Reads from the message how data (one element at least) and parameters lie, and runs the kernel: pointwise.cpp.
Refusal call(const Kernel& kernel, const Data& data, Message message);

}  // namespace afbench

namespace AFBENCH_ISA {

using namespace afbench;

// f(k) for every number. Unrolled where their count is known to the compiler, since arrays that a loop runs over stay
// in memory: with one such loop, after the elements', each total was written twice a vector, half of PAU's time.
template <class Each, int... K>
INLINE void unrolled(Each& each, std::integer_sequence<int, K...>) {
    (each(K), ...);
}

template <class F, class Each>
INLINE void numbers_of(const F& f, Each&& each) {
    if constexpr (F::FIXED)
        unrolled(each, std::make_integer_sequence<int, F::MOST>{});
    else
        for (int k = 0; k < f.size(); k++) each(k);
}

// All numbers of one group, forward. A vector that is not whole comes first, and overlaps the one that ends it, so that
// nothing is masked. Not after the others in a second round of the loop: constants were then loaded anew for every
// vector, and ACON-C forward took 1.3 times as long.
template <class F, class T>
INLINE void run_forward(const F& f, const float* numbers, const T* x, T* to, int64_t n) {
    T few[W] = {}, *y = to;
    const int64_t whole = n - n % W;
    if (n < W) std::memcpy(few, x, n * sizeof(T)), x = y = few;
    Floats p[F::MOST];
    numbers_of(f, [&](int k) { p[k] = splat(numbers[k]); });
    int64_t i = n > W && whole < n ? n - W : 0, next = whole < n ? 0 : W;
    for (;; i = next, next += W) {
        store(y + i, f.value(load(x + i), p));
        if (next >= whole) break;
    }
    if (n < W) std::memcpy(to, few, n * sizeof(T));
}

// The same backward; the sums of dp go to `sums`.
template <class F, class T>
INLINE void run_backward(const F& f, const float* numbers, const T* x, const T* g, T* to, int64_t n, float* sums) {
    T few[2 * W] = {}, *dx = to;
    const int64_t whole = n - n % W;
    if (n < W) {
        std::memcpy(few, x, n * sizeof(T));
        std::memcpy(few + W, g, n * sizeof(T));
        x = dx = few, g = few + W;
    }
    Floats p[F::MOST], total[F::MOST];
    numbers_of(f, [&](int k) { p[k] = splat(numbers[k]), total[k] = Floats{}; });
    bool partial = whole < n;
    int64_t i = n > W && partial ? n - W : 0, next = partial ? 0 : W;
    for (;; i = next, next += W) {
        store(dx + i, f.backward(load(g + i), load(x + i), p, total));
        if (__builtin_expect(partial, 0)) {  // the other lanes come again, or are none
            Ints fresh = n < W ? first_lanes(n) : ~first_lanes(W - n % W);
            numbers_of(f, [&](int k) { total[k] = keep(fresh, total[k]); });
            partial = false;
        }
        if (next >= whole) break;
    }
    if (n < W) std::memcpy(to, few, n * sizeof(T));
    numbers_of(f, [&](int k) { sums[k] = sum(total[k]); });
}

template <class F, class T>
void runs_forward(const void* function, const float* numbers, Span span, float*, int64_t count) {
    const F& f = *static_cast<const F*>(function);
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = i * span.n;
        run_forward(f, numbers + i * f.size(), static_cast<const T*>(span.x) + at, static_cast<T*>(span.y) + at, span.n);
    }
}

template <class F, class T>
void runs_backward(const void* function, const float* numbers, Span span, float* sums, int64_t count) {
    const F& f = *static_cast<const F*>(function);
    for (int64_t i = 0; i < count; i++) {
        const int64_t at = i * span.n, k = i * f.size();
        run_backward(f, numbers + k, static_cast<const T*>(span.x) + at, static_cast<const T*>(span.g) + at,
                     static_cast<T*>(span.y) + at, span.n, sums + k);
    }
}

template <class F, class T>
void lanes_forward(const void* function, const float* table, int64_t period, Span span, float*) {
    const F& f = *static_cast<const F*>(function);
    Floats p[F::MOST];
    for (int64_t row = 0; row < span.n; row += period) {
        const T* x = static_cast<const T*>(span.x) + row;
        T few[W] = {}, *y = static_cast<T*>(span.y) + row;
        int64_t length = span.n - row < period ? span.n - row : period;
        for (int64_t i = 0; i < length; i += W) {
            numbers_of(f, [&](int k) { p[k] = load(table + k * period + i); });
            bool all = i + W <= length;
            if (!all) std::memcpy(few, x + i, (length - i) * sizeof(T));
            store(all ? y + i : few, f.value(load(all ? x + i : few), p));
            if (!all) std::memcpy(y + i, few, (length - i) * sizeof(T));
        }
    }
}

// Rows go ROWS at a time: numbers and sums are then read and written once for so many vectors.
template <class F, class T>
void lanes_backward(const void* function, const float* table, int64_t period, Span span, float* sums) {
    constexpr int64_t ROWS = 4;
    const F& f = *static_cast<const F*>(function);
    Floats p[F::MOST], total[F::MOST];
    for (int64_t row = 0, rows; row < span.n; row += rows * period) {
        int64_t left = span.n - row, length = left < period ? left : period;
        rows = left >= ROWS * period ? ROWS : 1;
        for (int64_t i = 0; i < length; i += W) {
            const T *x = static_cast<const T*>(span.x) + row + i, *g = static_cast<const T*>(span.g) + row + i;
            T few[2 * W] = {}, *dx = static_cast<T*>(span.y) + row + i;
            const int64_t some = length - i;  // in the last row alone fewer than W
            if (some < W) {
                std::memcpy(few, x, some * sizeof(T));
                std::memcpy(few + W, g, some * sizeof(T));
                x = dx = few, g = few + W;
            }
            numbers_of(f, [&](int k) { p[k] = load(table + k * period + i), total[k] = Floats{}; });
            for (int64_t at = 0; at < rows * period; at += period)
                store(dx + at, f.backward(load(g + at), load(x + at), p, total));
            if (some < W) {
                std::memcpy(static_cast<T*>(span.y) + row + i, few, some * sizeof(T));
                numbers_of(f, [&](int k) { total[k] = keep(first_lanes(some), total[k]); });
            }
            numbers_of(f, [&](int k) {
                float* to = sums + k * period + i;
                store(to, load(to) + total[k]);
            });
        }
    }
}

template <class F>
Refusal call(const F& f, const Data& data, Message message) {
    Kernel kernel{};
    kernel.function = &f;
    kernel.pack = [](const void* of, const double* raw, float* p) { static_cast<const F*>(of)->pack(raw, p); };
    kernel.unpack = [](const void* of, const double* raw, const double* dp, double* draw) {
        static_cast<const F*>(of)->unpack(raw, dp, draw);
    };
    kernel.forward[FLOAT32] = runs_forward<F, float>, kernel.forward[BFLOAT16] = runs_forward<F, bfloat16>;
    kernel.backward[FLOAT32] = runs_backward<F, float>, kernel.backward[BFLOAT16] = runs_backward<F, bfloat16>;
    if constexpr (F::LANES) {
        kernel.lanes_forward[FLOAT32] = lanes_forward<F, float>;
        kernel.lanes_forward[BFLOAT16] = lanes_forward<F, bfloat16>;
        kernel.lanes_backward[FLOAT32] = lanes_backward<F, float>;
        kernel.lanes_backward[BFLOAT16] = lanes_backward<F, bfloat16>;
    }
    kernel.size = f.size(), kernel.raw = f.raw(), kernel.width = W;
    return afbench::call(kernel, data, message);
}

}  // namespace AFBENCH_ISA
