"""The flow of a CPAB velocity in closed form, with derivatives: T(x) = phi(x; 1), phi(x; 0) = x, dphi/dt = v(phi).

T is a diffeomorphism (Freifeld et al. 2017, IEEE TPAMI 39(12); Chelly et al. 2024, arXiv:2407.07564). See
field.py for v.

Inside, lengths are counted in cells, and a velocity is given by its values W at the vertices 0, ..., cells:
interpolated, they are continuous by construction, in every dtype.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from . import modes

NEVER = 2.0  # a time above 1, at which the flow ends


def velocity(x: Tensor, theta: Tensor, vertices: Tensor, a: float, b: float) -> Tensor:
    """Velocity v(x) in units of x, for x of any shape, theta [d], vertices [cells + 1, d] (`vertex_basis`).

    >>> from afbench.kernels.field import vertex_basis
    >>> B = torch.tensor(vertex_basis(4), dtype=torch.float32)
    >>> velocity(torch.tensor([-3.0, 3.0]), torch.ones(3), B, -3.0, 3.0).tolist()
    [0.0, 0.0]
    """
    y, W, scale = _in_cells(x, theta, vertices, a, b)
    return (_locate(y, W)[-1] / scale).reshape(x.shape)


def flow(x: Tensor, theta: Tensor, vertices: Tensor, a: float, b: float) -> Tensor:
    """Flow T(x) of the velocity at time 1, for x of any shape, theta [d] and vertices [cells + 1, d].

    The closed form, without a loop over the cells. Backward is closed form too, keeps two numbers an element,
    and can itself be differentiated, in reverse mode. All tensors are float32, or all float64.

    >>> from afbench.kernels.field import vertex_basis
    >>> B = torch.tensor(vertex_basis(4), dtype=torch.float32)
    >>> flow(torch.tensor([-1.0, 0.25]), torch.zeros(3), B, -3.0, 3.0).tolist()
    [-1.0, 0.25]
    """
    y, W, scale = _in_cells(x, theta, vertices, a, b)
    return x + (displacement(y, W) / scale).reshape(x.shape)


def flow_and_slope(x: Tensor, theta: Tensor, vertices: Tensor, a: float, b: float) -> tuple[Tensor, Tensor]:
    """Flow T(x) and its slope dT/dx: v(T) / v(x), or e^alpha if the path stays in its cell. See `flow`.

    >>> from afbench.kernels.field import vertex_basis
    >>> B = torch.tensor(vertex_basis(4), dtype=torch.float32)
    >>> T, slope = flow_and_slope(torch.tensor([-1.0, 0.25]), torch.zeros(3), B, -3.0, 3.0)
    >>> slope.tolist()
    [1.0, 1.0]
    """
    y, W, scale = _in_cells(x, theta, vertices, a, b)
    moved = displacement(y, W)
    return x + (moved / scale).reshape(x.shape), _Path(y, W, moved).slope.reshape(x.shape)


def _in_cells(x: Tensor, theta: Tensor, vertices: Tensor, a: float, b: float) -> tuple[Tensor, Tensor, float]:
    """Count in cells: x from a, as [n]; the velocities at the vertices; how many cells are a unit of x."""
    cells = vertices.shape[0] - 1
    scale = cells / (b - a)
    # Not the matrix product that it is: autocast would round that to bfloat16.
    return ((x - a) * scale).reshape(-1), (vertices * theta).sum(-1) * cells, scale


def _locate(y: Tensor, W: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Cell of each y, and the velocities there: at its left vertex, at its right vertex, at y itself."""
    last = W.shape[0] - 2
    # Clamped before the cast, which would wrap 1e30 round, and after it, for the cast of NaN is any integer.
    cell = y.clamp(0, last).long().clamp(0, last)
    flat = cell.reshape(-1)  # index_select is three times faster than W[cell], forward and backward
    left, right = (W.index_select(0, i).reshape(y.shape) for i in (flat, flat + 1))
    return cell, left, right, torch.lerp(left, right, y - cell)


def _count_up_to(sorted_values: Tensor, x: Tensor) -> Tensor:
    """How many of the values are at most x, for each x."""
    if torch.compiler.is_exporting():  # other formats know comparisons alone; in eager mode these take more memory
        return (sorted_values <= x.unsqueeze(-1)).sum(-1)
    return torch.searchsorted(sorted_values, x, right=True)


class _Displacement(torch.autograd.Function):
    """phi(y; 1) - y in cells, for y [n] and vertex velocities W [cells + 1].

    Autograd through this closed form would keep 133 bytes an element in float32, and divide by v(x) = 0. This
    keeps y and the result, 8 bytes, from which `_Path` has the derivatives.
    """

    generate_vmap_rule = True

    @staticmethod
    def forward(y: Tensor, W: Tensor) -> Tensor:
        """Compute the displacement. Autograd does not see this, so a `where` may hide a NaN."""
        cells = W.shape[0] - 1
        cell, _, _, w = _locate(y, W)

        # Per cell: its slope, kept off 0 by less than any rounding, and the time that crossing it takes. S is
        # that time summed to each vertex: a path of either direction ends where S has changed by 1.
        alpha = W.diff()
        least = torch.finfo(W.dtype).eps ** 2
        # Not two numbers, which would be of torch's default dtype.
        alpha = alpha + torch.where(alpha < 0, -least, alpha.new_full((), least))
        crossing = (torch.log1p(alpha / W[:-1]) / alpha).abs().clamp(max=NEVER).nan_to_num(NEVER)
        inner = _running_sum(crossing[:-1])
        S = torch.nn.functional.pad(inner, (1, 1))
        edge = torch.tensor([-torch.inf, *range(1, cells), torch.inf], dtype=W.dtype, device=W.device)

        # Its cell alone would move y by w phi1(alpha), phi1(z) = expm1(z) / z. Does that lead out of it?
        alone = w * (torch.expm1(alpha) / alpha).index_select(0, cell)
        first = alone.clamp(edge.index_select(0, cell) - y, edge.index_select(0, cell + 1) - y)
        a = alpha.index_select(0, cell)
        rest = (1 - torch.log1p(a * (first / w)) / a).clamp(0, 1)

        # The cell in which time runs out, the vertex where it is entered, and the time then left.
        forwards = (w > 0).long()
        direction, at = w.sign(), S.index_select(0, cell + forwards)
        last = _count_up_to(inner, at + direction * rest)
        # No rounding may turn the path round, nor lead a path that stays out of bounds.
        last = torch.minimum(last, cell - 1 + cells * forwards).clamp(min=0)
        entry = last + 1 - forwards
        rest = (rest + direction * (at - S.index_select(0, entry))).clamp(0, 1)
        a = alpha.index_select(0, last)
        beyond = W.index_select(0, entry) * torch.expm1(a * rest) / a
        return torch.where(first == alone, alone, entry - y + beyond)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, Tensor], output: Tensor) -> None:
        """Keep both ends of the path."""
        ctx.save_for_backward(*inputs, output)

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, Tensor]:
        """Return grad * (dT/dy - 1) and the sum of grad * dT/dW, never building dT/dW as [n, cells + 1]."""
        path = _Path(*ctx.saved_tensors)
        return grad * (path.slope - 1), path.pull_back(grad)


def displacement(y: Tensor, W: Tensor) -> Tensor:
    """Compute phi(y; 1) - y in cells, for y [n] and vertex velocities W [cells + 1], with derivatives of every kind."""
    if modes.forward_mode():
        return _by_newton(y, W)
    moved: Tensor = _Displacement.apply(y, W)  # type: ignore[no-untyped-call]
    return moved


def _by_newton(y: Tensor, W: Tensor) -> Tensor:
    """The same in operators that torch differentiates itself, in forward mode too, three times.

    The value is a constant m of which the time that the path takes is known to be 1. Two steps of Newton's method for
    that equation, m - v(T) * (time(m) - 1), leave the value alone, and give it derivatives that are right up to the
    third. Which cells the path goes through is a constant too. A path that stays in its cell is v(y) phi1(alpha).
    """
    known = _Displacement.forward(y.detach(), W.detach())
    fixed = _Path(y.detach(), W.detach(), known)
    side, leaves = fixed.side, fixed.leaves > 0
    start, stop = fixed.cell
    cell = torch.stack([start, torch.where(leaves, stop, start)])
    left, right = (W.index_select(0, i.reshape(-1)).reshape(cell.shape) for i in (cell, cell + 1))
    vertex = torch.where(leaves, torch.lerp(left, right, side), 1)
    exit, entry = cell + side.long()
    passed = _crossings(W)
    whole = (passed.index_select(0, entry) - passed.index_select(0, exit)) * torch.where(side[0] > 0, 1, -1)

    one = torch.ones_like(known)
    growth = torch.exp(torch.where(leaves, 0, right[0] - left[0]))
    p, skew = _skew(one, growth)
    at_start = torch.lerp(left[0], right[0], y - start)
    stays = at_start * (1 + growth) / (2 * (1 + p * skew))

    moved = known
    for _ in range(2):
        ends = torch.stack([y, y + moved])
        velocity = torch.where(leaves, torch.lerp(left, right, ends - cell), 1)
        p, skew = _skew(vertex, velocity)
        before, after = 2 * (ends - cell - side) / (velocity + vertex) * (1 + p * skew)
        moved = moved - velocity[1] * (after - before + whole - 1)
    found = torch.where(leaves, moved, stays)
    return known + (found - found.detach())


def _crossings(W: Tensor) -> Tensor:
    """The time from vertex 0 to each vertex, [cells + 1], of cells that are crossed in time; others count 0."""
    passable = W[:-1].sign() * W[1:].sign() > 0
    v, w = torch.where(passable, W[:-1], 1), torch.where(passable, W[1:], 1)
    p, skew = _skew(v, w)
    taken = 2 * (1 + p * skew) / (v + w).abs()
    return torch.nn.functional.pad(_running_sum(torch.where(passable & (taken < NEVER), taken, 0)), (1, 0))


def _running_sum(values: Tensor) -> Tensor:
    """As cumsum, which has no deterministic kernel on a GPU."""
    place = torch.arange(values.shape[0], device=values.device)
    return torch.where(place <= place.unsqueeze(-1), values, 0).sum(-1)


class _Path:
    """Paths from y to T = y + moved, and their derivatives, which can be differentiated themselves.

    As v is constant in time, dT/dy = v(T) / v(y) and dT/dW = v(T) int_y^T hat(s) / v(s)^2 ds, hat = dv/dW. A
    path is a part from y to its first vertex, whole cells, and a part from its last vertex to T; or it stays
    in its cell, T = y + v(y) phi1(alpha), with no pole at v(y) = 0.

    A part lies between a vertex of velocity v and an end, y in row 0, T in row 1, of velocity w, a gap apart.
    With p = (w - v) / (w + v) and h = gap / (w + v) it takes the time 2 h (1 + p skew(p)); its integrals are
    int 1 / v^2 = h (w + v) / (w v) and int (s - vertex) / v(s)^2 ds = h (gap / w + 2 h skew(p)).
    """

    def __init__(self, y: Tensor, W: Tensor, moved: Tensor) -> None:
        self.W, self.ends = W, torch.stack([y, y + moved])
        self.cell, left, right, self.velocity = _locate(self.ends, W)
        forwards = moved > 0
        self.side = torch.stack([forwards, ~forwards]).to(W.dtype)  # 0: the vertex is its cell's left one
        vertex = torch.lerp(left, right, self.side)
        away = self.velocity * vertex.sign() > 0  # False if T was rounded onto a vertex where v = 0
        leaves = (self.cell[0] != self.cell[1]) & away[0] & away[1]
        # Choosing by lerp of weight 0 or 1, exact for finite numbers, takes a fifth of the time of `where`.
        self.leaves = leaves.to(W.dtype)
        # A path that stays is its row 1, in units of v(y); its row 0 is empty.
        one = torch.ones_like(moved)
        growth = torch.exp((right[0] - left[0]) * (one - self.leaves))
        self.v = torch.lerp(one, vertex, self.leaves)
        self.w = torch.lerp(torch.stack([one, growth]), self.velocity, self.leaves)
        self.slope = self.w[1] / self.w[0]

    def pull_back(self, grad: Tensor) -> Tensor:
        """Sum grad * dT/dW over the paths, to [cells + 1]."""
        W, v, w, leaves = self.W, self.v, self.w, self.leaves
        cells, n = W.shape[0] - 1, grad.shape[0]
        passable = W[:-1].sign() * W[1:].sign() > 0
        v0, v1 = torch.where(passable, W[:-1], 1), torch.where(passable, W[1:], 1)
        p, skew = _skew(torch.cat([v.reshape(-1), v0]), torch.cat([w.reshape(-1), v1]))
        duration = 1 + p * skew  # in units of 2 h

        # The parts' integrals of hat / v^2, times v(T): to the vertex in row 0, from the vertex in row 1.
        start, stop = self.cell
        cell = torch.stack([start, torch.where(leaves > 0, stop, start)])
        base = torch.lerp(self.ends[0] - start, self.side, leaves)
        gap = self.ends - cell - base
        stays = torch.stack([torch.zeros_like(grad), 0.5 / duration[n : 2 * n]])
        h = torch.lerp(stays, gap / (w + v), leaves)
        flux = h * torch.stack([-self.slope * grad, grad])
        whole = flux * (w + v) / v
        right = whole * base + flux * (gap + 2 * self.velocity * h * skew[: 2 * n].view(2, n))
        index, parts = torch.stack([cell, cell + cells]), torch.stack([whole - right, right])
        parts = W.new_zeros(2 * cells).index_add(0, index.view(-1), parts.view(-1)).view(2, cells)

        # Whole cells: the sum of grad * v(T) over the paths that cross them.
        exit, entry = cell + self.side.long()
        final = grad * self.velocity[1] * leaves * (exit != entry)
        crossed = W.new_zeros(cells + 1).index_add(0, torch.cat([exit, entry]), torch.cat([final, -final]))
        in_time = passable & (2 * duration[2 * n :] < NEVER * (v0 + v1).abs())
        crossed = torch.where(in_time, _running_sum(crossed)[:-1] / (v0 + v1), 0)
        bend = 2 * skew[2 * n :] / (v0 + v1)
        left, right = parts[0] + crossed * (1 / v0 - bend), parts[1] + crossed * (1 / v1 + bend)
        return torch.nn.functional.pad(left, (0, 1)) + torch.nn.functional.pad(right, (1, 0))


def _skew(v: Tensor, w: Tensor) -> tuple[Tensor, Tensor]:
    """Return p = (w - v) / (w + v) and skew = (atanh(p) - p) / p^2, where v and w have one sign."""
    p = (w - v) / (w + v)
    square = p * p
    near = 0.02  # beyond it the closed form has lost few enough digits, for its derivative too
    terms = 9 if p.dtype == torch.float64 else 4
    series = square * (1 / (2 * terms + 1)) + 1 / (2 * terms - 1)
    for odd in range(2 * terms - 3, 1, -2):
        series = series * square + 1 / odd
    closed = (0.5 * torch.log(w / v) - p) / square.clamp(min=near)
    return p, torch.lerp(closed, series * p, (square < near).to(p.dtype))
