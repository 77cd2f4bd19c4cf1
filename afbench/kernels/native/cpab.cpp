// The DiTAC family, for all elements of a tensor: y and its gradients, by tables that are made from theta in every call,
// for parameters change without notice.
#include <cmath>
#include <cstdlib>

#include "normal.h"
#include "parallel.h"
#include "piecewise.h"
#include "warp.h"

namespace AFBENCH_ISA {
namespace {

using namespace afbench;

// As the caller packs it, 8 bytes each.
struct Message {
    char* x;               // [groups, n] in float, or bfloat16 if `halves`
    char* y;               // the result: y, or the gradient of x
    char* gradient;        // that of y, or null
    float* theta_gradient;  // [groups, parameters], or null
    const float* theta;     // [groups, parameters]
    const double* vertices;
    int64_t groups, n, halves, threads, cells, parameters;
    double a, b;
    int64_t variant, uniform;
};

constexpr int64_t CHUNK = 512;  // elements that pass from one loop to the next through the first cache
constexpr int64_t BLOCK = 32 * CHUNK;
constexpr int64_t STRIDE = TOGETHER * W;
static_assert(CHUNK % STRIDE == 0);

constexpr int LARGEST = 4096, COPIED = 128, COPIES = 8;  // of the sums of each piece, for tables up to so many pieces
static_assert(COPIED * COPIES <= LARGEST);

struct Buffers {
    alignas(64) float x[CHUNK], y[CHUNK], gradient[CHUNK], t[CHUNK];
    alignas(64) int32_t offset[CHUNK];
};

// An array of float, or bfloat16 if `halves`: converted on its way, chunk by chunk, so that all else is compiled once.
struct Array {
    char* start;
    bool halves;

    bool ready(int64_t n) const { return !halves && n % STRIDE == 0; }  // to be used where it is
    template <class T>
    T* at(int64_t i) const {
        return reinterpret_cast<T*>(start) + i;
    }

    // Elements from i on as floats, padded with 0 to whole strides: where they are, if they can be, else in the buffer.
    const float* read(int64_t i, int64_t n, float* buffer) const {
        if (ready(n)) return at<float>(i);
        halves ? widen(at<bfloat16>(i), n, buffer) : widen(at<float>(i), n, buffer);
        return buffer;
    }

    // Where to put results for `write` to bring to their place.
    float* place(int64_t i, int64_t n, float* buffer) const { return ready(n) ? at<float>(i) : buffer; }

    void write(int64_t i, int64_t n, const float* from) const {
        if (ready(n)) return;
        halves ? narrow(at<bfloat16>(i), n, from) : narrow(at<float>(i), n, from);
    }

  private:
    template <class T>
    static void widen(const T* from, int64_t n, float* to) {
        int64_t i = 0;
        for (; i + W <= n; i += W) store(to + i, load(from + i));
        if (i < n) store(to + i, load_some(from + i, n - i)), i += W;
        for (; i % STRIDE; i += W) store(to + i, Floats{});
    }

    template <class T>
    static void narrow(T* to, int64_t n, const float* from) {
        int64_t i = 0;
        for (; i + W <= n; i += W) store(to + i, load(from + i));
        if (i < n) store_some(to + i, load(from + i), n - i);
    }
};

// GELU, or its slope times a factor, where x is not within [low, high), which few are: whole vectors of others pass.
template <bool SLOPE>
void gelu_beyond(float low, float high, const float* x, int64_t n, const float* factor, float* to) {
    for (int64_t i = 0; i < n; i += W) {
        Floats at = load(x + i);
        Ints beyond = (at < low) | (at >= high);
        if (__builtin_expect(!any(beyond), 1)) continue;
        Normal phi = normal(at);
        Floats gelu = SLOPE ? load(factor + i) * (phi.cdf + at * phi.density) : at * phi.cdf;
        store(to + i, beyond ? gelu : load(to + i));
    }
}

// Calls f(buffers, x, gradient of y or null, result, n) chunk by chunk: n elements, which it may round up to vectors.
template <class F>
void chunks(const Message& m, int64_t from, int64_t to, F f) {
    Buffers b;
    const Array x{m.x, m.halves != 0}, gradients{m.gradient, x.halves}, results{m.y, x.halves};
    for (int64_t at = from; at < to; at += CHUNK) {
        int64_t n = to - at < CHUNK ? to - at : CHUNK;
        const float* gradient = m.gradient ? gradients.read(at, n, b.gradient) : nullptr;
        float* result = results.place(at, n, b.y);
        f(b, x.read(at, n, b.x), gradient, result, n);
        results.write(at, n, result);
    }
}

// Elements of one block; `moments` [size], of its own, or null.
template <class Search>
void tabled(const Message& m, const Warp* warp, int64_t from, int64_t to, double (*moments)[4]) {
    const Table& table = *warp_table(warp);
    const float low = warp_gelu_below(warp), high = warp_gelu_from(warp);
    const int copies = table.size > COPIED ? 1 : COPIES;
    alignas(64) float sums[LARGEST][4];
    if (moments) std::memset(sums, 0, table.size * copies * sizeof *sums);
    chunks(m, from, to, [&](Buffers& b, const float* x, const float* gradient, float* result, int64_t n) {
        n = (n + STRIDE - 1) / STRIDE * STRIDE;
        find<Search>(table, x, n, b.offset, b.t);
        if (gradient) {
            evaluate<true>(table, b.offset, b.t, n, gradient, result);
            gelu_beyond<true>(low, high, x, n, gradient, result);
            if (moments) (copies == 1 ? deposit<1> : deposit<COPIES>)(gradient, b.t, b.offset, n, sums);
        } else {
            evaluate<false>(table, b.offset, b.t, n, nullptr, result);
            gelu_beyond<false>(low, high, x, n, nullptr, result);
        }
    });
    if (!moments) return;
    for (int piece = 0; piece < table.size; piece++)
        for (int k = 0; k < 4; k++) {
            double total = 0;
            for (int copy = 0; copy < copies; copy++) total += sums[piece * copies + copy][k];
            moments[piece][k] = total;
        }
}

void closed_form(const Message& m, Warp* warp, int64_t from, int64_t to) {
    chunks(m, from, to, [&](Buffers&, const float* x, const float* gradient, float* result, int64_t n) {
        for (int64_t i = 0; i < n; i++) {
            double slope, f = warp_value(warp, x[i], &slope);
            result[i] = static_cast<float>(gradient ? slope * gradient[i] : f);
            if (m.theta_gradient) warp_pull_back(warp, x[i], gradient[i]);
        }
    });
}

void block(const Message& m, const Warp* warp, int64_t from, int64_t to, double (*moments)[4]) {
    (warp_table(warp)->grid.width > 0 ? tabled<Product> : tabled<Tree>)(m, warp, from, to, moments);
}

// Larger tables are worth larger blocks, for each block has moments of its own.
int64_t block_size(int table_size) { return BLOCK * (table_size > 128 ? table_size / 64 : 1); }

// The group's elements, and what they add to its theta's gradient.
void group(const Message& m, int64_t g, int64_t threads) {
    WarpSettings settings{static_cast<int>(m.cells), static_cast<int>(m.parameters), m.vertices, m.a, m.b,
                          static_cast<float>(m.a), static_cast<float>(m.b), static_cast<int>(m.variant), m.uniform != 0};
    if (m.halves) {
        bfloat16 ends[W];
        Floats both{settings.first, settings.last};
        store(ends, both);
        both = load(ends);
        settings.first = both[0], settings.last = both[1];
    }
    Warp* warp = warp_build(settings, m.theta + g * m.parameters);
    const Table* table = warp_table(warp);
    int64_t from = g * m.n, to = from + m.n, size = table ? block_size(table->size) : BLOCK;
    int64_t blocks = (m.n + size - 1) / size;
    double (*moments)[4] = nullptr;
    if (table) {
        if (m.theta_gradient) moments = static_cast<double (*)[4]>(std::calloc(blocks * table->size, sizeof *moments));
        auto one = [&](int64_t i) {
            int64_t begin = from + i * size, end = begin + size < to ? begin + size : to;
            block(m, warp, begin, end, moments ? moments + i * table->size : nullptr);
        };
        for_blocks(blocks, threads, one);
    } else {
        auto one = [&](int64_t i) {
            int64_t begin = from + i * size, end = begin + size < to ? begin + size : to;
            closed_form(m, warp, begin, end);
        };
        // The sums of the closed form are the warp's own: one thread.
        for_blocks(blocks, m.theta_gradient ? 1 : threads, one);
    }
    if (m.theta_gradient) {
        if (moments && blocks) {  // no moments, no table: the closed form
            for (int64_t i = table->size; i < blocks * table->size; i++)
                for (int k = 0; k < 4; k++) moments[i % table->size][k] += moments[i][k];
            warp_contract(warp, moments);
        }
        double* theta = static_cast<double*>(std::malloc(m.parameters * sizeof(double)));
        warp_gradient(warp, theta);
        for (int64_t j = 0; j < m.parameters; j++)
            m.theta_gradient[g * m.parameters + j] = static_cast<float>(theta[j]);
        std::free(theta);
    }
    std::free(moments);
    warp_free(warp);
}

void run(const Message& m) {
    // Many thetas share the threads among them, few share theirs with all.
    if (m.groups >= 4 * m.threads) {
        auto one = [&](int64_t g) { group(m, g, 1); };
        for_blocks(m.groups, m.threads, one);
    } else {
        for (int64_t g = 0; g < m.groups; g++) group(m, g, m.threads);
    }
}

}  // namespace
}  // namespace AFBENCH_ISA

AFBENCH_EXPORT(afbench_cpab)(const void* message) {
    using namespace AFBENCH_ISA;
    Message m;
    std::memcpy(&m, message, sizeof m);
    run(m);
    return 0;
}
