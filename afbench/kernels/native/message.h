// How Python calls a function of the library: with one array of 64-bit integers (numbers, sizes, addresses, the bits of
// doubles) in the order in which the function reads it. The function returns null, or a C string that names why it did
// nothing. Choices are passed by name as well: no number stands for one thing on both sides.
#pragma once

#include <cstdint>
#include <cstring>

namespace afbench {

using Refusal = const char*;
constexpr Refusal DONE = nullptr;
inline constexpr char NOT_DENSE[] = "not dense";        // x has gaps
inline constexpr char NOT_IN_ORDER[] = "not in order";  // x lies so that parameters are inside others' elements
inline constexpr char MISFIT[] = "misfit";              // the parameters' shapes do not fit x
inline constexpr char UNKNOWN[] = "unknown";            // a name or degree that has no kernel
inline constexpr char NO_MEMORY[] = "no memory";
inline constexpr char NO_LANES[] = "no lanes";          // of the kernel; Python never sees it

enum Dtype { FLOAT32, BFLOAT16 };

// Read from its front. Inlined always: see library.h on names.
#define READS __attribute__((always_inline))
struct Message {
    const int64_t* at;

    READS int64_t number() { return *at++; }
    READS double real() {
        double value;
        std::memcpy(&value, at++, sizeof value);
        return value;
    }
    template <class T>
    READS T* address() {
        return reinterpret_cast<T*>(number());
    }
    READS Dtype dtype() { return number() == 2 ? BFLOAT16 : FLOAT32; }  // by an element's bytes
    READS bool is(const char* name) const { return std::strcmp(reinterpret_cast<const char*>(*at), name) == 0; }
};

// What every message begins with.
struct Data {
    int64_t threads;
    Dtype dtype;      // of all three
    const char* x;
    char* y;          // or the gradient of x
    const char* g;    // the gradient of y, or null: forward

    READS explicit Data(Message& message) {
        threads = message.number(), dtype = message.dtype();
        x = message.address<char>(), y = message.address<char>(), g = message.address<char>();
    }
};
#undef READS

}  // namespace afbench
