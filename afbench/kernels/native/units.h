// Swish, ACON, PReLU and PELU, units of one to three learnt numbers: functions for the generator in pointwise.h.
#pragma once

#include "simd.h"

namespace AFBENCH_ISA {

// Swish: x s(beta x), s the logistic sigmoid; dy/dx = s + z s (1 - s), z = beta x.
struct Swish {
    static constexpr bool FIXED = true, LANES = true;
    static constexpr int MOST = 1;
    static constexpr int size() { return 1; }
    static constexpr int raw() { return 1; }
    void pack(const double* raw, float* p) const { p[0] = static_cast<float>(raw[0]); }
    void unpack(const double*, const double* dp, double* draw) const { draw[0] = dp[0]; }

    MEMBER Floats value(Floats x, const Floats* p) const { return x * sigmoid(p[0] * x); }

    MEMBER Floats backward(Floats g, Floats x, const Floats* p, Floats* dp) const {
        Floats z = p[0] * x, s = sigmoid(z), slope = s - s * s;
        dp[0] += g * (x * (x * slope));
        return g * (s + p[0] * (x * slope));  // not z * slope: z may be inf where the slope is 0
    }
};

// The lines d x s(beta d x) + p2 x, d = p1 - p2; the gradients are by p1, p2 and beta.
struct Lines {
    static constexpr bool FIXED = true, LANES = true;
    static constexpr int MOST = 3;
    static constexpr int size() { return 3; }

    MEMBER Floats value(Floats x, const Floats* p) const {
        Floats dx = p[0] * x;
        return dx * sigmoid(p[2] * dx) + p[1] * x;
    }

    MEMBER Floats backward(Floats g, Floats x, const Floats* p, Floats* dp) const {
        Floats dx = p[0] * x, z = p[2] * dx, s = sigmoid(z), slope = s - s * s;
        Floats gx = g * x, step = s + p[2] * (dx * slope);
        Floats first = gx * step;
        dp[0] += first;
        dp[1] += gx - first;  // here, not from two sums of which little might be left
        dp[2] += g * (dx * (dx * slope));
        return g * (p[0] * step + p[1]);
    }
};

// ACON-C: p1, p2 and beta are learnt.
struct AconC : Lines {
    static constexpr int raw() { return 3; }
    void pack(const double* raw, float* p) const {
        p[0] = static_cast<float>(raw[0] - raw[1]);
        p[1] = static_cast<float>(raw[1]);
        p[2] = static_cast<float>(raw[2]);
    }
    void unpack(const double*, const double* dp, double* draw) const {
        for (int i = 0; i < 3; i++) draw[i] = dp[i];
    }
};

// ACON-B: p1 = 1; p2 and beta are learnt.
struct AconB : Lines {
    static constexpr int raw() { return 2; }
    void pack(const double* raw, float* p) const {
        p[0] = static_cast<float>(1 - raw[0]);
        p[1] = static_cast<float>(raw[0]);
        p[2] = static_cast<float>(raw[1]);
    }
    void unpack(const double*, const double* dp, double* draw) const {
        draw[0] = dp[1];
        draw[1] = dp[2];
    }
};

// PReLU: max(x, 0) + a min(x, 0); at 0 the slope is a, as torch has it.
struct PReLU {
    static constexpr bool FIXED = true, LANES = true;
    static constexpr int MOST = 1;
    static constexpr int size() { return 1; }
    static constexpr int raw() { return 1; }
    void pack(const double* raw, float* p) const { p[0] = static_cast<float>(raw[0]); }
    void unpack(const double*, const double* dp, double* draw) const { draw[0] = dp[0]; }

    MEMBER Floats value(Floats x, const Floats* p) const { return x > 0 ? x : p[0] * x; }

    MEMBER Floats backward(Floats g, Floats x, const Floats* p, Floats* dp) const {
        dp[0] += x > 0 ? Floats{} : g * x;
        return x > 0 ? g : g * p[0];
    }
};

// PELU: a elu(x / b) with elu(u) = u above 0, e^u - 1 below; values of a and b below LEAST count as LEAST, while the
// gradient still reaches the parameter.
struct PELU {
    static constexpr bool FIXED = true, LANES = true;
    static constexpr double LEAST = 0.1;
    static constexpr int MOST = 2;
    static constexpr int size() { return 2; }
    static constexpr int raw() { return 2; }
    // A NaN stays one.
    static double held(double v) { return v < LEAST ? LEAST : v; }
    void pack(const double* raw, float* p) const {
        p[0] = static_cast<float>(held(raw[0]));
        p[1] = static_cast<float>(1 / held(raw[1]));
    }
    void unpack(const double* raw, const double* dp, double* draw) const {
        double b = held(raw[1]);
        draw[0] = dp[0];
        draw[1] = -held(raw[0]) / (b * b) * dp[1];
    }

    MEMBER Floats value(Floats x, const Floats* p) const {
        Floats u = x * p[1];
        return p[0] * (u > 0 ? u : exponentials(u).less_one);
    }

    // To dp[1] goes g x elu'(u), to whose sum the gradient of b is proportional.
    MEMBER Floats backward(Floats g, Floats x, const Floats* p, Floats* dp) const {
        Floats u = x * p[1];
        Exponentials e = exponentials(u);
        Floats slope = u > 0 ? splat(1) : e.whole;
        dp[0] += g * (u > 0 ? u : e.less_one);
        dp[1] += g * (x * slope);
        return g * (p[0] * p[1] * slope);
    }
};

}  // namespace AFBENCH_ISA
