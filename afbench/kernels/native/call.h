// Calls of pointwise kernels: what their loops are to the code around them, which is compiled once, for it would give
// the compiler more to do than the loops.
#pragma once

#include <cstdint>

namespace afbench {

enum Dtype : int64_t { FLOAT32, BFLOAT16 };

enum Refusal : int { DONE = 0, NOT_DENSE = 1, NOT_IN_ORDER = 2, MISFIT = 3, UNKNOWN = 4, NO_LANES = 5 };

// The array of integers that a call passes, read from its front. Inlined always: see parallel.h on names.
struct Message {
    const int64_t* at;
    __attribute__((always_inline)) int64_t number() { return *at++; }
    template <class T>
    __attribute__((always_inline)) T* address() {
        return reinterpret_cast<T*>(number());
    }
};

// n elements at x; with g, the gradient of y, backward: to dx, else to y.
struct Span {
    const void *x, *g;
    void* y;
    int64_t n;
};

// A function of pointwise.h as loops over elements; those in pairs are for float32 and bfloat16.
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

// Reads what the message says of data (one element at least) and parameters, and runs the kernel.
int call(const Kernel& kernel, Message message);

}  // namespace afbench
