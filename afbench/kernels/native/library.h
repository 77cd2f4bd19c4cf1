// What library.cpp gives to all units: threads, memory, and the names of what is exported.
//
// Work is cut into blocks that do not depend on the number of threads, so that sums over blocks, added in their order,
// have the same bits for every number of threads.
#pragma once

#include <cstddef>
#include <cstdint>

using AfbenchTask = void (*)(void* context, int64_t block);

// Calls task(context, block) for every block; which thread takes which is left to chance.
void afbench_run(AfbenchTask task, void* context, int64_t blocks, int64_t threads);

// All memory of the library comes from here. Null if there is none.
void* afbench_allocate(size_t bytes);
void afbench_release(void* memory);

#ifdef AFBENCH_ISA
namespace AFBENCH_ISA {

// Calls f(block) for block = 0..blocks-1.
template <class F>
void for_blocks(int64_t blocks, int64_t threads, F& f) {
    afbench_run([](void* context, int64_t block) { (*static_cast<F*>(context))(block); }, &f, blocks, threads);
}

}  // namespace AFBENCH_ISA
#endif

// The units with loops over elements are compiled once per instruction set, into a namespace of its own: were two
// versions of one template to share a name, the linker would keep either, and AVX-512 code would run where there is none.
// So those units use no std:: templates, either, and nothing of ours that might not be inlined. They know no exceptions.
// AFBENCH_EXPORT(name) gives the C function name_avx2, name_avx512 or name_baseline; message.h says what it takes and
// returns.
#define AFBENCH_JOIN_(name, isa) name##_##isa
#define AFBENCH_JOIN(name, isa) AFBENCH_JOIN_(name, isa)
#define AFBENCH_PUBLIC extern "C" __attribute__((visibility("default")))
#define AFBENCH_EXPORT(name) AFBENCH_PUBLIC const char* AFBENCH_JOIN(name, AFBENCH_ISA)
