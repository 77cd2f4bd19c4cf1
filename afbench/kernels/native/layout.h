// How the data of a call lies in memory: batches of rows of channels of runs.
#pragma once

#include <algorithm>

#include "memory.h"
#include "message.h"

namespace afbench {

// A parameter tensor [leading..., channels, count], contiguous. Its leading dimensions lie along the first dimensions
// of x; a size of 1 serves all.
struct Parameter {
    void* data;
    void* gradient;
    Dtype dtype;
    int64_t count;
    Vector<int64_t> leading;
    int64_t channels;
};

// The rest of a message.
inline Vector<int64_t> read_numbers(Message& message, int64_t n) {
    Vector<int64_t> all(message.at, message.at + n);
    message.at += n;
    return all;
}

inline Parameter read_parameter(Message& message) {
    Parameter p{};
    p.data = message.address<void>();
    p.gradient = message.address<void>();
    p.dtype = message.dtype();
    p.count = message.number();
    p.leading = read_numbers(message, message.number());
    p.channels = p.leading.back();
    p.leading.pop_back();
    return p;
}

// x as [batch][outer][channels][inner] in the order of memory: parameters belong to a batch and a channel.
struct Layout {
    int64_t batch = 1, outer = 1, channels = 1, inner = 1;
    Vector<int64_t> leading;  // the dimensions that batch is made of, as they follow one another in memory
    int64_t elements() const { return batch * outer * channels * inner; }
};

// Finds the layout, if the tensor is dense: no gaps, no element twice, in any order of its dimensions.
inline Refusal find_layout(const Vector<int64_t>& sizes, const Vector<int64_t>& strides, int64_t channel,
                           const Vector<Parameter>& parameters, Layout& found) {
    int64_t leading = 0;  // how many first dimensions have parameters of their own
    bool per_channel = false;
    const int64_t dims = static_cast<int64_t>(sizes.size());
    for (const Parameter& p : parameters) {
        per_channel |= p.channels > 1;
        if (p.channels != 1 && (channel < 0 || channel >= dims || p.channels != sizes[channel])) return MISFIT;
        for (int64_t d = 0; d < static_cast<int64_t>(p.leading.size()); d++) {
            if (p.leading[d] == 1) continue;
            if (d >= dims || d == channel || p.leading[d] != sizes[d]) return MISFIT;
            leading = std::max(leading, d + 1);
        }
    }
    Vector<int64_t> order;
    for (int64_t d = 0; d < dims; d++)
        if (sizes[d] != 1) order.push_back(d);
    std::sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
        return strides[a] != strides[b] ? strides[a] > strides[b] : a < b;
    });
    int64_t expected = 1;
    for (size_t i = order.size(); i-- > 0;) {
        if (strides[order[i]] != expected) return NOT_DENSE;
        expected *= sizes[order[i]];
    }
    found = Layout{};
    bool past = false;  // the channel dimension
    for (int64_t d : order) {
        if (d < leading && d != channel) {
            if (past || found.outer != 1) return NOT_IN_ORDER;
            found.batch *= sizes[d];
            found.leading.push_back(d);
        } else if (per_channel && d == channel) {
            found.channels = sizes[d];
            past = true;
        } else {
            (past ? found.inner : found.outer) *= sizes[d];
        }
    }
    if (!past) std::swap(found.inner, found.outer);  // one run, not as many runs of one
    return DONE;
}

// Where each parameter's values for (batch, channel) stand in its tensor.
struct Places {
    Vector<int64_t> offsets;  // [parameter][batch]
    Vector<int64_t> steps;    // [parameter], from channel to channel
    int64_t batch;

    Places(const Layout& layout, const Vector<int64_t>& sizes, const Vector<Parameter>& parameters)
        : batch(layout.batch) {
        for (const Parameter& p : parameters) {
            steps.push_back(p.channels > 1 ? p.count : 0);
            for (int64_t b = 0; b < batch; b++) {
                int64_t offset = 0, rest = b;
                for (size_t i = layout.leading.size(); i-- > 0;) {
                    int64_t d = layout.leading[i], index = rest % sizes[d], step = p.channels * p.count;
                    rest /= sizes[d];
                    if (d >= static_cast<int64_t>(p.leading.size()) || p.leading[d] == 1) continue;
                    for (size_t later = d + 1; later < p.leading.size(); later++) step *= p.leading[later];
                    offset += index * step;
                }
                offsets.push_back(offset);
            }
        }
    }

    int64_t at(int64_t parameter, int64_t b, int64_t channel) const {
        return offsets[parameter * batch + b] + channel * steps[parameter];
    }
};

}  // namespace afbench
