// The generator: makes forward and backward, with the gradients of the parameters, from a function of one element.
//
// A function F has
//     int size()                                   how many numbers it computes with, at most F::MOST
//     Floats value(Floats x, const Floats* p)      y
//     Floats backward(Floats g, Floats x, const Floats* p, Floats* dp)
//                                                  g dy/dx, and g dy/dp for every number
//     void pack(const double* raw, float* p)       those numbers from the parameters of one group
//     void unpack(const double* raw, const double* dp, double* draw)
//                                                  and the parameters' gradients from the numbers'
//     int raw()                                    how many parameters a group has
//     F::FIXED                                     whether size() is F::MOST always
//     F::LANES                                     whether there are kernels for lanes, see below
//
// A group is one channel of one batch. Long runs of one group keep its numbers in registers ("runs"); where channels
// change from element to element, or runs are short, the numbers stand in tables beside the elements ("lanes").
//
// Blocks do not depend on the number of threads. Inside one, the parameters' gradients are summed in float lanes, over
// 2,048 vectors at most; across blocks in double, in order.
#pragma once

#include "layout.h"
#include "simd.h"

#include <numeric>
#include <utility>

namespace AFBENCH_ISA {

constexpr int64_t PIECE = 2048 * W;  // of a run, at most
constexpr int64_t BLOCK = 32768;     // elements that a thread takes at a time, about

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

template <class T>
struct Data {
    const T* x;
    const T* g;  // of y; null in forward
    T* y;        // or dx
};

// One run of a group, forward. The last vector overlaps the one before it, so that nothing is masked.
template <class F, class T>
INLINE void run_forward(const F& f, const float* numbers, const T* x, T* y, int64_t n) {
    Floats p[F::MOST];
    numbers_of(f, [&](int k) { p[k] = splat(numbers[k]); });
    int64_t i = 0;
    for (; i + W <= n; i += W) store(y + i, f.value(load(x + i), p));
    if (i == n) return;
    if (n > W)
        store(y + n - W, f.value(load(x + n - W), p));
    else
        store_some(y, f.value(load_some(x, n), p), n);
}

// One run backward; the sums of dp go to `sums`.
template <class F, class T>
INLINE void run_backward(const F& f, const float* numbers, const T* x, const T* g, T* dx, int64_t n, float* sums) {
    Floats p[F::MOST], total[F::MOST], dp[F::MOST];
    numbers_of(f, [&](int k) { p[k] = splat(numbers[k]), total[k] = Floats{}; });
    int64_t i = 0;
    for (; i + W <= n; i += W) {
        store(dx + i, f.backward(load(g + i), load(x + i), p, dp));
        numbers_of(f, [&](int k) { total[k] += dp[k]; });
    }
    if (i < n) {
        Ints fresh;  // the lanes that were not yet summed
        if (n > W) {
            store(dx + n - W, f.backward(load(g + n - W), load(x + n - W), p, dp));
            fresh = ~first_lanes(W - (n - i));
        } else {
            store_some(dx, f.backward(load_some(g, n), load_some(x, n), p, dp), n);
            fresh = first_lanes(n);
        }
        numbers_of(f, [&](int k) { total[k] += keep(fresh, dp[k]); });
    }
    numbers_of(f, [&](int k) { sums[k] = sum(total[k]); });
}

// Rows of `period` elements, each element with numbers of its own at [k][i] of the table; the last row may end early.
template <class F, class T>
INLINE void lanes_forward(const F& f, const float* table, int64_t period, const T* x, T* y, int64_t n) {
    Floats p[F::MOST];
    for (int64_t row = 0; row < n; row += period) {
        int64_t length = std::min(period, n - row), i = 0;
        for (; i + W <= length; i += W) {
            numbers_of(f, [&](int k) { p[k] = load(table + k * period + i); });
            store(y + row + i, f.value(load(x + row + i), p));
        }
        if (i == length) continue;
        numbers_of(f, [&](int k) { p[k] = load(table + k * period + i); });
        store_some(y + row + i, f.value(load_some(x + row + i, length - i), p), length - i);
    }
}

// The same backward; dp is added to `sums`, a table like the other. Rows go ROWS at a time: numbers and sums are then
// read and written once for so many vectors.
template <class F, class T>
INLINE void lanes_backward(const F& f, const float* table, int64_t period, const T* x, const T* g, T* dx, int64_t n,
                           float* sums) {
    constexpr int64_t ROWS = 4;
    Floats p[F::MOST], total[F::MOST], dp[F::MOST];
    for (int64_t row = 0; row < n;) {
        int64_t rows = n - row >= ROWS * period ? ROWS : 1, length = std::min(period, n - row), i = 0;
        for (; i + W <= length; i += W) {
            numbers_of(f, [&](int k) { p[k] = load(table + k * period + i), total[k] = Floats{}; });
            for (int64_t at = row + i, end = at + rows * period; at < end; at += period) {
                store(dx + at, f.backward(load(g + at), load(x + at), p, dp));
                numbers_of(f, [&](int k) { total[k] += dp[k]; });
            }
            numbers_of(f, [&](int k) {
                float* to = sums + k * period + i;
                store(to, load(to) + total[k]);
            });
        }
        if (i < length) {  // in the last row alone
            int64_t at = row + i, few = length - i;
            numbers_of(f, [&](int k) { p[k] = load(table + k * period + i); });
            store_some(dx + at, f.backward(load_some(g + at, few), load_some(x + at, few), p, dp), few);
            numbers_of(f, [&](int k) {
                float* to = sums + k * period + i;
                store(to, load(to) + keep(first_lanes(few), dp[k]));
            });
        }
        row += rows * period;
    }
}

// Cuts runs in pieces and calls on blocks of them: work(piece, group, first element, elements).
struct Runs {
    int64_t run, groups, length, pieces_a_run, pieces, pieces_a_block, blocks;

    explicit Runs(const Layout& at) {
        run = at.inner;
        groups = at.batch * at.outer * at.channels;
        pieces_a_run = (run + PIECE - 1) / PIECE;
        length = (run / W / pieces_a_run + 1) * W;
        pieces_a_run = (run + length - 1) / length;
        pieces = groups * pieces_a_run;
        pieces_a_block = std::max<int64_t>(1, BLOCK / std::min(length, run));
        blocks = (pieces + pieces_a_block - 1) / pieces_a_block;
    }

    template <class Work>
    void each(const Layout& at, int64_t block, Work&& work) const {
        // Rows of one batch share the numbers of its channels. The three are counted on: divisions took as long as
        // a row of 49 elements.
        int64_t piece = block * pieces_a_block, last = std::min(piece + pieces_a_block, pieces);
        int64_t index = piece / pieces_a_run, part = piece % pieces_a_run;
        int64_t channel = index % at.channels, row = index / at.channels % at.outer;
        int64_t batch = index / at.channels / at.outer;
        for (; piece < last; piece++) {
            int64_t first = part * length;
            work(piece, batch * at.channels + channel, index * run + first, std::min(length, run - first));
            if (++part < pieces_a_run) continue;
            part = 0, index++;
            if (++channel < at.channels) continue;
            channel = 0;
            if (++row == at.outer) row = 0, batch++;
        }
    }
};

template <class F, class T>
void runs(const F& f, const Layout& at, const Data<T>& data, const float* numbers, double* gradients, int64_t threads) {
    const int K = f.size();
    const Runs cut(at);
    if (!data.g) {
        auto work = [&](int64_t block) {
            cut.each(at, block, [&](int64_t, int64_t group, int64_t first, int64_t n) {
                run_forward(f, numbers + group * K, data.x + first, data.y + first, n);
            });
        };
        return for_blocks(cut.blocks, threads, work);
    }
    std::vector<float> sums(cut.pieces * K);
    auto work = [&](int64_t block) {
        cut.each(at, block, [&](int64_t piece, int64_t group, int64_t first, int64_t n) {
            run_backward(f, numbers + group * K, data.x + first, data.g + first, data.y + first, n, &sums[piece * K]);
        });
    };
    for_blocks(cut.blocks, threads, work);
    for (int64_t block = 0; block < cut.blocks; block++)
        cut.each(at, block, [&](int64_t piece, int64_t group, int64_t, int64_t) {
            for (int k = 0; k < K; k++) gradients[group * K + k] += sums[piece * K + k];
        });
}

template <class F, class T>
void lanes(const F& f, const Layout& at, const Data<T>& data, const float* numbers, double* gradients,
           int64_t threads) {
    const int64_t K = f.size(), own = at.channels * at.inner, all = at.outer * own;
    // Repeated until rows are whole vectors, and so long that a row's overhead does not show.
    int64_t period = own * (W / std::gcd<int64_t>(own, W));
    if (period < 16 * W) period *= 16 * W / period;
    if (period > all) period = (all + W - 1) / W * W;
    const int64_t block = std::max(BLOCK / period, std::min<int64_t>(32, (all + period - 1) / period)) * period;
    const int64_t blocks = (all + block - 1) / block;
    std::vector<float> table(at.batch * K * period);
    for (int64_t b = 0; b < at.batch; b++)
        for (int64_t i = 0; i < period; i++)
            for (int64_t k = 0; k < K; k++)
                table[(b * K + k) * period + i] = numbers[(b * at.channels + i % own / at.inner) * K + k];
    std::vector<float> sums(data.g ? at.batch * blocks * K * period : 0);
    auto work = [&](int64_t index) {
        int64_t b = index / blocks, first = index % blocks * block, n = std::min(block, all - first);
        int64_t start = b * all + first;
        const float* own_table = &table[b * K * period];
        if (data.g)
            lanes_backward(f, own_table, period, data.x + start, data.g + start, data.y + start, n,
                           &sums[index * K * period]);
        else
            lanes_forward(f, own_table, period, data.x + start, data.y + start, n);
    };
    for_blocks(at.batch * blocks, threads, work);
    if (!data.g) return;
    for (int64_t index = 0; index < at.batch * blocks; index++)
        for (int64_t k = 0; k < K; k++)
            for (int64_t i = 0; i < period; i++)
                gradients[(index / blocks * at.channels + i % own / at.inner) * K + k] +=
                    sums[(index * K + k) * period + i];
}

inline double read(const Parameter& p, int64_t i) {
    if (p.dtype == FLOAT32) return static_cast<const float*>(p.data)[i];
    uint32_t bits = static_cast<uint32_t>(static_cast<const uint16_t*>(p.data)[i]) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

inline void write(const Parameter& p, int64_t i, double value) {
    if (p.dtype == FLOAT32)
        static_cast<float*>(p.gradient)[i] = static_cast<float>(value);
    else
        store_some(static_cast<bfloat16*>(p.gradient) + i, splat(static_cast<float>(value)), 1);
}

// The call of a function: reads what the message says of data (one element at least) and parameters, and runs it.
template <class F>
int call(const F& f, Message message) {
    const int64_t threads = message.number(), dtype = message.number(), channel = message.number();
    const void* x = message.address<void>();
    void* y = message.address<void>();
    const void* g = message.address<void>();
    const int64_t dims = message.number();
    const std::vector<int64_t> sizes = message.numbers(dims), strides = message.numbers(dims);
    std::vector<Parameter> parameters(message.number());
    int64_t raw = 0;
    for (Parameter& p : parameters) p = message.parameter(), raw += p.count;
    if (raw != f.raw()) return MISFIT;

    Layout at;
    Refusal refusal = find_layout(sizes, strides, channel, parameters, at);
    if (refusal) return refusal;
    const bool in_runs = at.channels == 1 || at.inner >= 4 * W;
    if (!in_runs && !F::LANES) return NO_LANES;
    const Places places(at, sizes, parameters);
    const int64_t groups = at.batch * at.channels, K = f.size();
    std::vector<double> own(groups * raw), gradients(g ? groups * K : 0), back(raw);
    std::vector<float> numbers(groups * K);
    for (int64_t group = 0; group < groups; group++) {
        double* to = &own[group * raw];
        for (size_t j = 0; j < parameters.size(); j++) {
            int64_t from = places.at(j, group / at.channels, group % at.channels);
            for (int64_t i = 0; i < parameters[j].count; i++) *to++ = read(parameters[j], from + i);
        }
        f.pack(&own[group * raw], &numbers[group * K]);
    }
    auto run = [&](auto data) {
        if (in_runs) return runs(f, at, data, numbers.data(), gradients.data(), threads);
        if constexpr (F::LANES) lanes(f, at, data, numbers.data(), gradients.data(), threads);
    };
    if (dtype == FLOAT32)
        run(Data<float>{static_cast<const float*>(x), static_cast<const float*>(g), static_cast<float*>(y)});
    else
        run(Data<bfloat16>{static_cast<const bfloat16*>(x), static_cast<const bfloat16*>(g),
                           static_cast<bfloat16*>(y)});
    if (!g) return DONE;

    std::vector<std::vector<double>> totals;
    for (const Parameter& p : parameters) {
        int64_t size = p.channels * p.count;
        for (int64_t l : p.leading) size *= l;
        totals.emplace_back(size);
    }
    for (int64_t group = 0; group < groups; group++) {
        f.unpack(&own[group * raw], &gradients[group * K], back.data());
        const double* from = back.data();
        for (size_t j = 0; j < parameters.size(); j++) {
            int64_t to = places.at(j, group / at.channels, group % at.channels);
            for (int64_t i = 0; i < parameters[j].count; i++) totals[j][to + i] += *from++;
        }
    }
    for (size_t j = 0; j < parameters.size(); j++)
        for (size_t i = 0; i < totals[j].size(); i++) write(parameters[j], i, totals[j][i]);
    return DONE;
}

}  // namespace AFBENCH_ISA
