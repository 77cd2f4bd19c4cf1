// Vectors for the units that are compiled once. Where there is no memory they throw std::bad_alloc, which each function
// that other units call turns into a refusal: an exception must not meet code that knows none.
#pragma once

#include <new>
#include <vector>

#include "library.h"

namespace afbench {

template <class T>
struct Allocator {
    using value_type = T;

    Allocator() = default;
    template <class U>
    Allocator(const Allocator<U>&) {}

    T* allocate(size_t n) {
        void* memory = afbench_allocate(n * sizeof(T));
        if (!memory) throw std::bad_alloc();
        return static_cast<T*>(memory);
    }
    void deallocate(T* memory, size_t) { afbench_release(memory); }

    template <class U>
    bool operator==(const Allocator<U>&) const { return true; }
    template <class U>
    bool operator!=(const Allocator<U>&) const { return false; }
};

template <class T>
using Vector = std::vector<T, Allocator<T>>;

}  // namespace afbench
