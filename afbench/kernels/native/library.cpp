// The C side of library.py, compiled once and without flags for an instruction set: the sets, threads and memory.
#include "library.h"

#include <atomic>
#include <cstdlib>
#include <pthread.h>

namespace {

// libgomp's entry, which libiomp5 and libomp have too: runs work(data) in a team of so many threads.
using Parallel = void (*)(void (*work)(void*), void* data, unsigned threads, unsigned flags);

std::atomic<Parallel> shared{nullptr};
std::atomic<int64_t> until_failure{0};  // allocations; 0: none fails

struct Team {
    AfbenchTask task;
    void* context;
    int64_t blocks;
    std::atomic<int64_t> next;
};

void work(void* data) {
    Team& team = *static_cast<Team*>(data);
    for (int64_t block; (block = team.next.fetch_add(1, std::memory_order_relaxed)) < team.blocks;)
        team.task(team.context, block);
}

// A forked child has none of its parent's threads, and libgomp would wait for them for ever.
void alone() { shared.store(nullptr, std::memory_order_relaxed); }

}  // namespace

void afbench_run(AfbenchTask task, void* context, int64_t blocks, int64_t threads) {
    Parallel parallel = shared.load(std::memory_order_relaxed);
    if (threads > blocks) threads = blocks;
    Team team{task, context, blocks, {0}};
    if (parallel && threads > 1)
        parallel(work, &team, static_cast<unsigned>(threads), 0);
    else
        work(&team);
}

void* afbench_allocate(size_t bytes) {
    if (until_failure.load(std::memory_order_relaxed) && until_failure.fetch_sub(1) == 1) return nullptr;
    return std::malloc(bytes ? bytes : 1);
}

void afbench_release(void* memory) { std::free(memory); }

// For tests: the nth allocation from now on fails, once; 0: none does.
AFBENCH_PUBLIC void afbench_fail_allocation(int64_t nth) { until_failure.store(nth); }

// Takes the address of GOMP_parallel in the OpenMP runtime that torch has loaded. A pool of our own, spinning on the
// same cores, would cost both their speed.
AFBENCH_PUBLIC void afbench_share_threads(void* entry) {
    static const int registered = pthread_atfork(nullptr, nullptr, alone);
    (void)registered;
    shared.store(reinterpret_cast<Parallel>(entry), std::memory_order_relaxed);
}

// INTERFACE of library.py when this was built: library.py does without a library of another.
AFBENCH_PUBLIC int afbench_interface(void) { return AFBENCH_INTERFACE; }

// The instruction sets that this processor and its system have, from the least to the best, as setup.py names them.
AFBENCH_PUBLIC const char* afbench_instructions(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    return avx2 ? (avx512 ? "baseline avx2 avx512" : "baseline avx2") : "baseline";
#else
    return "baseline";
#endif
}
