// What is compiled once, without any flags for an instruction set: the choice of the set, and the threads.
#include "parallel.h"

#include <atomic>
#include <pthread.h>

namespace {

// libgomp's entry, which libiomp5 and libomp have too: runs work(data) in a team of so many threads.
using Parallel = void (*)(void (*work)(void*), void* data, unsigned threads, unsigned flags);

std::atomic<Parallel> shared{nullptr};

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

extern "C" {

// Takes the address of GOMP_parallel in the OpenMP runtime that torch has loaded. A pool of our own, spinning on the
// same cores, would cost both their speed.
__attribute__((visibility("default"))) void afbench_share_threads(void* entry) {
    static const int registered = pthread_atfork(nullptr, nullptr, alone);
    (void)registered;
    shared.store(reinterpret_cast<Parallel>(entry), std::memory_order_relaxed);
}

// Of the messages that the functions take: library.py expects this number, and else does without the library.
__attribute__((visibility("default"))) int afbench_interface(void) { return 1; }

// The best instruction set that this processor and its system have: 0 baseline, 1 AVX2 with FMA, 2 AVX-512.
__attribute__((visibility("default"))) int afbench_instructions(void) {
#if defined(__x86_64__)
    __builtin_cpu_init();
    bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
    bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
    return avx2 ? (avx512 ? 2 : 1) : 0;
#else
    return 0;
#endif
}
}
