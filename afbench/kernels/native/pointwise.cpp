// What is the same for all pointwise kernels: how their work is cut, and where their parameters are.
//
// Long runs of one group keep its numbers in registers ("runs"); where channels change from element to element, or runs
// are short, the numbers stand in tables beside the elements ("lanes").
//
// Blocks do not depend on the number of threads. Inside one, the parameters' gradients are summed in float lanes, over
// 2,048 vectors at most; across blocks in double, in order.
#include "pointwise.h"

#include <numeric>

#include "layout.h"

namespace afbench {
namespace {

using AFBENCH_ISA::for_blocks;

constexpr int64_t PIECE = 2048;   // vectors of a run, at most
constexpr int64_t BLOCK = 32768;  // elements that a thread takes at a time, about

Span span(const Data& data, int64_t first, int64_t n) {
    int64_t at = first * (data.dtype == FLOAT32 ? 4 : 2);
    return {data.x + at, data.g ? data.g + at : nullptr, data.y + at, n};
}

// Cuts runs in pieces and calls on blocks of them: work(piece, group, first element, elements, count), for
// so many pieces one behind the other, each of the next group.
struct Runs {
    int64_t run, groups, length, pieces_a_run, pieces, pieces_a_block, blocks;

    Runs(const Layout& at, int64_t width) {
        run = at.inner;
        groups = at.batch * at.outer * at.channels;
        pieces_a_run = (run + PIECE * width - 1) / (PIECE * width);
        length = (run / width / pieces_a_run + 1) * width;
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
        for (int64_t count = 1; piece < last; piece += count) {
            int64_t first = part * length;
            if (pieces_a_run == 1) count = std::min(last - piece, at.channels - channel);
            work(piece, batch * at.channels + channel, index * run + first, std::min(length, run - first), count);
            if (++part < pieces_a_run) continue;
            part = 0, index += count;
            if ((channel += count) < at.channels) continue;
            channel = 0;
            if (++row == at.outer) row = 0, batch++;
        }
    }
};

void runs(const Kernel& f, const Layout& at, const Data& data, const float* numbers, double* gradients) {
    const int64_t K = f.size;
    const Runs cut(at, f.width);
    const Kernel::Run run = (data.g ? f.backward : f.forward)[data.dtype];
    Vector<float> sums(data.g ? cut.pieces * K : 0);
    auto work = [&](int64_t block) {
        cut.each(at, block, [&](int64_t piece, int64_t group, int64_t first, int64_t n, int64_t count) {
            run(f.function, numbers + group * K, span(data, first, n), data.g ? &sums[piece * K] : nullptr,
                count);
        });
    };
    for_blocks(cut.blocks, data.threads, work);
    for (int64_t block = 0; data.g && block < cut.blocks; block++)
        cut.each(at, block, [&](int64_t piece, int64_t group, int64_t, int64_t, int64_t count) {
            for (int64_t k = 0; k < count * K; k++) gradients[group * K + k] += sums[piece * K + k];
        });
}

void lanes(const Kernel& f, const Layout& at, const Data& data, const float* numbers, double* gradients) {
    const int64_t K = f.size, W = f.width, own = at.channels * at.inner, all = at.outer * own;
    const Kernel::Lanes rows = (data.g ? f.lanes_backward : f.lanes_forward)[data.dtype];
    // Repeated until rows are whole vectors, and so long that a row's overhead does not show.
    int64_t period = own * (W / std::gcd<int64_t>(own, W));
    if (period < 16 * W) period *= 16 * W / period;
    if (period > all) period = (all + W - 1) / W * W;
    const int64_t block = std::max(BLOCK / period, std::min<int64_t>(32, (all + period - 1) / period)) * period;
    const int64_t blocks = (all + block - 1) / block;
    Vector<float> table(at.batch * K * period);
    for (int64_t b = 0; b < at.batch; b++)
        for (int64_t i = 0; i < period; i++)
            for (int64_t k = 0; k < K; k++)
                table[(b * K + k) * period + i] = numbers[(b * at.channels + i % own / at.inner) * K + k];
    Vector<float> sums(data.g ? at.batch * blocks * K * period : 0);
    auto work = [&](int64_t index) {
        int64_t b = index / blocks, first = index % blocks * block, n = std::min(block, all - first);
        rows(f.function, &table[b * K * period], period, span(data, b * all + first, n),
             data.g ? &sums[index * K * period] : nullptr);
    };
    for_blocks(at.batch * blocks, data.threads, work);
    if (!data.g) return;
    for (int64_t index = 0; index < at.batch * blocks; index++)
        for (int64_t k = 0; k < K; k++)
            for (int64_t i = 0; i < period; i++)
                gradients[(index / blocks * at.channels + i % own / at.inner) * K + k] +=
                    sums[(index * K + k) * period + i];
}

float widened(uint16_t half) {
    uint32_t bits = static_cast<uint32_t>(half) << 16;
    float value;
    std::memcpy(&value, &bits, sizeof value);
    return value;
}

double read(const Parameter& p, int64_t i) {
    return p.dtype == FLOAT32 ? static_cast<const float*>(p.data)[i]
                              : widened(static_cast<const uint16_t*>(p.data)[i]);
}

// Rounds to nearest, ties to even, as the kernels do.
void write(const Parameter& p, int64_t i, double value) {
    float wide = static_cast<float>(value);
    if (p.dtype == FLOAT32) {
        static_cast<float*>(p.gradient)[i] = wide;
        return;
    }
    uint32_t bits;
    std::memcpy(&bits, &wide, sizeof bits);
    bits = wide == wide ? bits + 0x7fff + (bits >> 16 & 1) : bits | 0x400000;
    static_cast<uint16_t*>(p.gradient)[i] = static_cast<uint16_t>(bits >> 16);
}

Refusal checked(const Kernel& f, const Data& data, Message message) {
    const int64_t channel = message.number();
    const bool g = data.g;
    const int64_t dims = message.number();
    const Vector<int64_t> sizes = read_numbers(message, dims), strides = read_numbers(message, dims);
    Vector<Parameter> parameters(message.number());
    int64_t raw = 0;
    for (Parameter& p : parameters) p = read_parameter(message), raw += p.count;
    if (raw != f.raw) return MISFIT;

    Layout at;
    Refusal refusal = find_layout(sizes, strides, channel, parameters, at);
    if (refusal) return refusal;
    const bool in_runs = at.channels == 1 || at.inner >= 4 * f.width;
    if (!in_runs && !f.lanes_forward[0]) return NO_LANES;
    const Places places(at, sizes, parameters);
    const int64_t groups = at.batch * at.channels, K = f.size;
    Vector<double> own(groups * raw), gradients(g ? groups * K : 0), back(raw);
    Vector<float> numbers(groups * K);
    for (int64_t group = 0; group < groups; group++) {
        double* to = &own[group * raw];
        for (size_t j = 0; j < parameters.size(); j++) {
            int64_t from = places.at(j, group / at.channels, group % at.channels);
            for (int64_t i = 0; i < parameters[j].count; i++) *to++ = read(parameters[j], from + i);
        }
        f.pack(f.function, &own[group * raw], &numbers[group * K]);
    }
    (in_runs ? runs : lanes)(f, at, data, numbers.data(), gradients.data());
    if (!g) return DONE;

    Vector<Vector<double>> totals;
    for (const Parameter& p : parameters) {
        int64_t size = p.channels * p.count;
        for (int64_t l : p.leading) size *= l;
        totals.emplace_back(size);
    }
    for (int64_t group = 0; group < groups; group++) {
        f.unpack(f.function, &own[group * raw], &gradients[group * K], back.data());
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

}  // namespace

Refusal call(const Kernel& f, const Data& data, Message message) {
    try {
        return checked(f, data, message);
    } catch (const std::bad_alloc&) {
        return NO_MEMORY;
    }
}

}  // namespace afbench
