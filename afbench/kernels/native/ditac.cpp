// The DiTAC family, for all elements of a tensor: y and its gradients, by tables that are made from theta in every call,
// for parameters change without notice.
#include "library.h"
#include "message.h"
#include "pieces.h"

namespace AFBENCH_ISA {
namespace {

using namespace afbench;

// What its message says; x is [groups, n].
struct Call {
    Data data;
    float* theta_gradient;  // [groups, parameters], or null
    const float* theta;     // [groups, parameters]
    int64_t groups, n;
    DitacSettings settings;
};

constexpr int64_t CHUNK = 512;  // elements that pass from one loop to the next through the first cache
constexpr int64_t BLOCK = 32 * CHUNK;
constexpr int64_t STRIDE = TOGETHER * W;
static_assert(CHUNK % STRIDE == 0);

constexpr int COPIED = 128, COPIES = 8;  // of the sums of each piece, for tables up to so many pieces
static_assert(COPIED * COPIES <= LARGEST_TABLE);

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

// The normal distribution function and its density, from one exponential.
struct Normal {
    Floats cdf, density;
};

// With z = |x|, Phi(-z) = e^(-z^2 / 2) s P(s), s = 1 / (1 + 0.28 z); P, of degree 8, by least squares on the relative
// error, weighted until it was even: 1.7e-7, for every z. So the tail keeps its digits.
INLINE Normal normal(Floats x) {
    Floats z = absolute(x);
    Floats bell = exponential(z * z * -0.5f);
    Floats s = 1.0f / (1.0f + 0.28f * z);
    Floats p = splat(0.024720192186256387f);
    p = p * s - 0.09359388545280911f;
    p = p * s + 0.0924291772566959f;
    p = p * s - 0.006449933621099139f;
    p = p * s + 0.07277530202632027f;
    p = p * s + 0.08363073221271872f;
    p = p * s + 0.10308467026216789f;
    p = p * s + 0.11169980251017395f;
    p = p * s + 0.11170385755363525f;
    Floats tail = bell * (p * s);
    return {x > 0 ? 1.0f - tail : tail, bell * 0.3989422804014327f};
}

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
void chunks(const Call& call, int64_t from, int64_t to, F f) {
    Buffers b;
    const Data& data = call.data;
    const bool halves = data.dtype == BFLOAT16;
    const Array x{const_cast<char*>(data.x), halves}, gradients{const_cast<char*>(data.g), halves};
    const Array results{data.y, halves};
    for (int64_t at = from; at < to; at += CHUNK) {
        int64_t n = to - at < CHUNK ? to - at : CHUNK;
        const float* gradient = data.g ? gradients.read(at, n, b.gradient) : nullptr;
        float* result = results.place(at, n, b.y);
        f(b, x.read(at, n, b.x), gradient, result, n);
        results.write(at, n, result);
    }
}

// Elements of one block; `moments` [size], of its own, or null.
template <class Search>
void tabled(const Call& call, const Table& table, int64_t from, int64_t to, double (*moments)[4]) {
    const float low = table.gelu_below, high = table.gelu_from;
    const int copies = table.size > COPIED ? 1 : COPIES;
    alignas(64) float sums[LARGEST_TABLE][4];
    if (moments) std::memset(sums, 0, table.size * copies * sizeof *sums);
    chunks(call, from, to, [&](Buffers& b, const float* x, const float* gradient, float* result, int64_t n) {
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

void closed_form(const Call& call, Ditac* ditac, int64_t from, int64_t to) {
    chunks(call, from, to, [&](Buffers&, const float* x, const float* gradient, float* result, int64_t n) {
        for (int64_t i = 0; i < n; i++) {
            double slope, f = ditac_value(ditac, x[i], &slope);
            result[i] = static_cast<float>(gradient ? slope * gradient[i] : f);
            if (call.theta_gradient) ditac_pull_back(ditac, x[i], gradient[i]);
        }
    });
}

// Larger tables are worth larger blocks, for each block has moments of its own.
int64_t block_size(int table_size) { return BLOCK * (table_size > 128 ? table_size / 64 : 1); }

// The group's elements, and what they add to its theta's gradient. False if there is no memory.
bool group(const Call& call, int64_t g, int64_t threads) {
    const DitacSettings& settings = call.settings;
    Ditac* ditac = ditac_build(settings, call.theta + g * settings.parameters);
    if (!ditac) return false;
    const Table* table = ditac_table(ditac);
    const bool sums = call.theta_gradient && call.n;
    const int64_t from = g * call.n, to = from + call.n, size = table ? block_size(table->size) : BLOCK;
    const int64_t blocks = (call.n + size - 1) / size;
    double (*moments)[4] = nullptr;
    if (table && sums) {
        moments = static_cast<double (*)[4]>(afbench_allocate(blocks * table->size * sizeof *moments));
        if (!moments) return ditac_free(ditac), false;
    }
    auto one = [&](int64_t i) {
        int64_t begin = from + i * size, end = begin + size < to ? begin + size : to;
        if (!table) return closed_form(call, ditac, begin, end);
        auto pieces = table->grid.width > 0 ? tabled<Product> : tabled<Tree>;
        pieces(call, *table, begin, end, moments ? moments + i * table->size : nullptr);
    };
    // The sums of the closed form are its own: one thread.
    for_blocks(blocks, table || !sums ? threads : 1, one);
    if (moments) {
        for (int64_t i = table->size; i < blocks * table->size; i++)
            for (int k = 0; k < 4; k++) moments[i % table->size][k] += moments[i][k];
        ditac_contract(ditac, moments);
    }
    if (call.theta_gradient) ditac_gradient(ditac, call.theta_gradient + g * settings.parameters);
    afbench_release(moments);
    ditac_free(ditac);
    return true;
}

bool run(const Call& call) {
    // Many thetas share the threads among them, few share theirs with all.
    bool failed = false;
    const bool spread = call.groups >= 4 * call.data.threads;
    auto one = [&](int64_t g) {
        if (!group(call, g, spread ? 1 : call.data.threads)) __atomic_store_n(&failed, true, __ATOMIC_RELAXED);
    };
    for_blocks(call.groups, spread ? call.data.threads : 1, one);
    return !failed;
}

}  // namespace
}  // namespace AFBENCH_ISA

AFBENCH_EXPORT(afbench_ditac)(const int64_t* integers) {
    using namespace AFBENCH_ISA;
    Message message{integers};
    Call call{Data(message), message.address<float>(), message.address<float>(), 0, 0, {}};
    call.groups = message.number(), call.n = message.number();
    DitacSettings& s = call.settings;
    s.cells = static_cast<int>(message.number()), s.parameters = static_cast<int>(message.number());
    s.vertices = message.address<double>();
    s.a = message.real(), s.b = message.real();
    s.first = static_cast<float>(s.a), s.last = static_cast<float>(s.b);
    if (call.data.dtype == BFLOAT16) {
        bfloat16 ends[W];
        Floats both{s.first, s.last};
        store(ends, both);
        both = load(ends);
        s.first = both[0], s.last = both[1];
    }
    int variant = 0;
    while (variant <= INF_DITAC && !message.is(VARIANTS[variant])) variant++;
    if (variant > INF_DITAC) return UNKNOWN;
    s.variant = static_cast<Variant>(variant);
    message.number();
    s.uniform = message.number() != 0;
    return run(call) ? DONE : NO_MEMORY;
}
