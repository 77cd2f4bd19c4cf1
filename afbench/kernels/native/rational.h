// Ratios of polynomials, P(x) / Q(x), with what PAU and OPAU put below the line: functions for the generator in
// pointwise.h.
//
// Where all lanes of a vector are moderate, no power can overflow, and Horner's rule in x does: one division an
// element. The rare others go through far_value and far_backward, in u = x / s and v = 1 / s, s = max(|x|, 1): both
// are within [-1, 1], so finite x to 1e30 and beyond stay right.
#pragma once

#include "simd.h"

namespace AFBENCH_ISA {

// By the names that rational.py has for them; a basis is ORTHOGONAL.
enum Below {
    VERSION_A,   // 1 + |b_1 x| + ... + |b_m x^m|
    VERSION_B,   // 1 + |b_1 x + ... + b_m x^m|
    VERSION_C,   // 0.1 + |b_0 + b_1 x + ... + b_m x^m|
    VERSION_N,   // 1 + b_1 x + ... + b_m x^m
    WHOLE,       // b_0 + b_1 x + ... + b_m x^m
    ORTHOGONAL,  // 1 + |d_1 f_1(x)| + ... + |d_m f_m(x)|      OPAU
    ANY,         // to the compiler: one of these, known at run time alone
    SYMMETRIC,   // and this: ORTHOGONAL without shifts, as all bases but Laguerre's are
};

constexpr int DEGREE = 16;  // the highest that is served

// f_(i+1) = (slope x + shift) f_i - back f_(i-1), f_0 = 1.
struct Step {
    float slope, shift, back;
};

// N = M = 0: the degrees, too, are known at run time alone. Then one loop serves all forms: choosing among them a vector
// does not show beside numbers that stand in memory.
template <Below V, int N, int M>
struct Rational {
    static constexpr bool FIXED = N > 0;
    static constexpr bool LANES = !FIXED;  // one set of kernels less to compile, for what hardly anyone uses
    static constexpr int MOST = FIXED ? N + M + (V == VERSION_C ? 2 : 1) : 2 * DEGREE + 2;
    Below below_;
    int n_, m_;
    int free;             // how many parameters the numerator has
    const double* terms;  // [free][n + 1]: what each stands before, in powers of x; null: they are its coefficients
    Step steps[FIXED ? M : DEGREE];
    float near;  // moderate is |x| up to this
    // Of SYMMETRIC alone, coefficients of f_j as a polynomial in x^2, times x where j is odd, and of its derivative: by
    // them OPAU's values took 8 % less time than by the recurrence, its gradients 6 %.
    float in_squares[M + 1][M / 2 + 1], slopes[M + 1][M / 2 + 1];

    MEMBER int n() const { return FIXED ? N : n_; }
    MEMBER int m() const { return FIXED ? M : m_; }
    MEMBER bool is(Below below) const { return (V == ANY ? below_ : V == SYMMETRIC ? ORTHOGONAL : V) == below; }
    MEMBER int lowest() const { return is(VERSION_C) || is(WHOLE) ? 0 : 1; }
    MEMBER float constant() const { return is(VERSION_C) ? 0.1f : is(WHOLE) ? 0.0f : 1.0f; }
    MEMBER int size() const { return n() + 1 + m() + 1 - lowest(); }
    int raw() const { return free + m() + 1 - lowest(); }

    void pack(const double* raw, float* p) const {
        for (int i = 0; i <= n(); i++) {
            double a = terms ? 0 : raw[i];
            for (int j = 0; terms && j < free; j++) a += raw[j] * terms[j * (n() + 1) + i];
            *p++ = static_cast<float>(a);
        }
        for (int j = lowest(); j <= m(); j++) {
            double b = raw[free + j - lowest()];
            *p++ = static_cast<float>(is(VERSION_A) || is(ORTHOGONAL) ? __builtin_fabs(b) : b);
        }
    }

    void unpack(const double* raw, const double* dp, double* draw) const {
        for (int j = 0; j < free; j++) {
            draw[j] = terms ? 0 : dp[j];
            for (int i = 0; terms && i <= n(); i++) draw[j] += dp[i] * terms[j * (n() + 1) + i];
        }
        for (int j = lowest(); j <= m(); j++) {
            double b = raw[free + j - lowest()], d = dp[n() + 1 + j - lowest()];
            if (is(VERSION_A) || is(ORTHOGONAL)) d = b > 0 ? d : b < 0 ? -d : b * d;
            draw[free + j - lowest()] = d;
        }
    }

    // The polynomial c_0 + ... + c_d x^d, and its derivative.
    struct Pair {
        Floats value, slope;
    };

    MEMBER static Floats horner(const Floats* c, int d, Floats x) {
        Floats v = c[d];
        for (int i = d - 1; i >= 0; i--) v = v * x + c[i];
        return v;
    }

    MEMBER static Pair both(const Floats* c, int d, Floats x) {
        Floats w = c[d], v = w * x + c[d - 1];
        for (int i = d - 2; i >= 0; i--) w = w * x + v, v = v * x + c[i];
        return {v, w};
    }

    // f_j and its derivative.
    MEMBER Pair term(int j, Floats x, Floats squared) const {
        Floats value = splat(in_squares[j][j / 2]), slope = splat(slopes[j][j / 2]);
        for (int k = j / 2 - 1; k >= 0; k--) value = value * squared + in_squares[j][k];
        for (int k = j / 2 - 1; k >= 1 - j % 2; k--) slope = slope * squared + slopes[j][k];
        return j % 2 ? Pair{value * x, slope} : Pair{value, slope * x};
    }

    MEMBER Floats value(Floats x, const Floats* p) const {
        if (__builtin_expect(any(~(absolute(x) <= near)), 0)) return far_value(x, p);
        const Floats* b = p + n() + 1 - lowest();
        Floats q;
        if constexpr (V == SYMMETRIC) {
            q = splat(1);
            for (int j = 1; j <= M; j++) q += b[j] * absolute(term(j, x, x * x).value);
        } else if (is(ORTHOGONAL)) {
            Floats before = splat(1), last = steps[0].slope * x + steps[0].shift;
            q = b[1] * absolute(last) + 1.0f;
            for (int j = 2; j <= m(); j++) {
                Floats f = (steps[j - 1].slope * x + steps[j - 1].shift) * last - steps[j - 1].back * before;
                q += b[j] * absolute(f);
                before = last, last = f;
            }
        } else {
            Floats t = is(VERSION_A) ? absolute(x) : x, h = b[m()];
            for (int j = m() - 1; j >= lowest(); j--) h = h * t + b[j];
            if (lowest()) h = h * t;
            q = (is(VERSION_B) || is(VERSION_C) ? absolute(h) : h) + constant();
        }
        return horner(p, n(), x) / q;
    }

    MEMBER Floats backward(Floats g, Floats x, const Floats* p, Floats* dp) const {
        if (__builtin_expect(any(~(absolute(x) <= near)), 0)) {
            Floats rare[MOST];  // dp's address must not leave, or it would stay in memory on the common path, too
            Floats dx = far_backward(g, x, p, rare);
            for (int k = 0; k < size(); k++) dp[k] += rare[k];
            return dx;
        }
        const Floats* b = p + n() + 1 - lowest();
        Floats* db = dp + n() + 1 - lowest();
        Pair top = both(p, n(), x);
        Floats q, slope, factor{}, squared = x * x;  // Q and Q'; dQ/db_j = factor x^j
        Floats size_of[DEGREE + 1];                  // of f_j, which is that for OPAU
        if constexpr (V == SYMMETRIC) {
            q = splat(1), slope = Floats{};
            for (int j = 1; j <= M; j++) {
                Pair f = term(j, x, squared);
                size_of[j] = absolute(f.value);
                q += b[j] * size_of[j];
                slope += b[j] * with_sign(f.slope, f.value);
            }
        } else if (is(ORTHOGONAL)) {
            Floats before = splat(1), last = steps[0].slope * x + steps[0].shift;
            Floats before_slope{}, last_slope = splat(steps[0].slope);
            size_of[1] = absolute(last);
            q = b[1] * size_of[1] + 1.0f, slope = b[1] * with_sign(last_slope, last);
            for (int j = 2; j <= m(); j++) {
                Floats line = steps[j - 1].slope * x + steps[j - 1].shift;
                Floats f = line * last - steps[j - 1].back * before;
                Floats s = line * last_slope + steps[j - 1].slope * last - steps[j - 1].back * before_slope;
                size_of[j] = absolute(f);
                q += b[j] * size_of[j];
                slope += b[j] * with_sign(s, f);
                before = last, last = f, before_slope = last_slope, last_slope = s;
            }
        } else {
            Floats t = is(VERSION_A) ? absolute(x) : x, h = b[m()], w{};
            for (int j = m() - 1; j >= lowest(); j--) w = j == m() - 1 ? h : w * t + h, h = h * t + b[j];
            if (lowest()) w = m() == 1 ? h : w * t + h, h = h * t;
            factor = is(VERSION_B) || is(VERSION_C) ? sign(h) : splat(1);
            q = (is(VERSION_B) || is(VERSION_C) ? absolute(h) : h) + constant();
            slope = is(VERSION_A) ? with_sign(w, x) : w * factor;
        }
        Floats inverse = 1.0f / q, share = g * inverse, y = top.value * inverse, back = -(share * y);
        Floats powers[MOST] = {splat(1), x, squared};
        for (int i = 3; i <= n(); i++) powers[i] = powers[i - 2] * squared;
        for (int i = 0; i <= n(); i++) dp[i] += share * powers[i];
        if (is(ORTHOGONAL)) {
            for (int j = 1; j <= m(); j++) db[j] += back * size_of[j];
        } else {
            back *= factor;
            for (int j = lowest(); j <= m(); j++) db[j] += back * (is(VERSION_A) ? absolute(powers[j]) : powers[j]);
        }
        return share * (top.slope - y * slope);
    }

    // The same with all powers divided by those of s.
    struct Far {
        Floats s, v, top, bottom, top_slope, bottom_slope;
        Floats u_power[DEGREE + 1], v_power[DEGREE + 1], f[DEGREE + 1], factor;
    };

    void far(Floats x, const Floats* p, Far& r) const {
        const Floats* b = p + n() + 1 - lowest();
        Floats size = absolute(x);
        r.s = size > 1 ? size : splat(1);
        r.v = 1.0f / r.s;
        Floats u = x / r.s;
        r.u_power[0] = r.v_power[0] = splat(1);
        for (int i = 1; i <= n(); i++) {
            r.u_power[i] = r.u_power[i - 1] * u;
            r.v_power[i] = r.v_power[i - 1] * r.v;
        }
        r.top = r.top_slope = r.bottom_slope = Floats{};
        for (int i = 0; i <= n(); i++) {
            r.top += p[i] * (r.u_power[i] * r.v_power[n() - i]);
            if (i) r.top_slope += static_cast<float>(i) * p[i] * (r.u_power[i - 1] * r.v_power[n() - i]);
        }
        r.factor = splat(1);
        if (is(ORTHOGONAL)) {
            Floats before{}, last = splat(1), before_slope{}, last_slope{}, squared = r.v * r.v;
            r.bottom = r.v_power[m()];
            for (int j = 1; j <= m(); j++) {
                Floats line = steps[j - 1].slope * u + steps[j - 1].shift * r.v;
                Floats f = line * last - steps[j - 1].back * (squared * before);
                Floats s = steps[j - 1].slope * last + line * last_slope - steps[j - 1].back * (squared * before_slope);
                r.f[j] = absolute(f) * r.v_power[m() - j];
                r.bottom += b[j] * r.f[j];
                r.bottom_slope += b[j] * with_sign(s, f) * r.v_power[m() - j];
                before = last, last = f, before_slope = last_slope, last_slope = s;
            }
        } else {
            Floats h{}, w{};
            for (int j = lowest(); j <= m(); j++) {
                Floats u_power = is(VERSION_A) ? absolute(r.u_power[j]) : r.u_power[j];
                r.f[j] = u_power * r.v_power[m() - j];
                h += b[j] * r.f[j];
                if (!j) continue;
                Floats under = r.u_power[j - 1] * r.v_power[m() - j];
                w += static_cast<float>(j) * b[j] * (is(VERSION_A) ? under * sign(r.u_power[j]) : under);
            }
            if (is(VERSION_B) || is(VERSION_C)) r.factor = sign(h);
            r.bottom = constant() * r.v_power[m()] + (is(VERSION_B) || is(VERSION_C) ? absolute(h) : h);
            r.bottom_slope = w * r.factor;
        }
    }

    __attribute__((noinline, cold)) Floats far_value(Floats x, const Floats* p) const {
        Far r;
        far(x, p, r);
        Floats y = r.top / r.bottom;
        for (int i = m(); i < n(); i++) y *= r.s;
        return y;
    }

    __attribute__((noinline, cold)) Floats far_backward(Floats g, Floats x, const Floats* p, Floats* dp) const {
        Far r;
        far(x, p, r);
        Floats* db = dp + n() + 1 - lowest();
        Floats y = r.top / r.bottom, share = g / r.bottom, scale = splat(1), back = -(y * share) * r.factor;
        for (int i = 0; i <= n(); i++) {
            if (i > m()) scale *= r.s;
            dp[i] = share * (i > m() ? scale * r.u_power[i] : r.u_power[i] * r.v_power[m() - i]);
        }
        for (int j = lowest(); j <= m(); j++) db[j] = back * r.f[j] * scale;
        return share * (r.top_slope - y * r.bottom_slope) * (scale * r.v);
    }
};

}  // namespace AFBENCH_ISA
