"""The bases of DiTAC's theta, derived apart from the code they judge: ``python tests/kernels/bases.py`` writes them.

What a stored theta means is one basis among all orthonormal ones of a space, so the basis is pinned here to the letter.
Row i of ``bases.json``'s ``"CELLS ZERO_BOUNDARY"`` holds the velocities v01 at the vertex i / cells of [0, 1] under
theta = e_1, e_2, ... They are those of A = (alpha_0, beta_0, alpha_1, ...), v01(u) = alpha_i u + beta_i in cell i:

- The constraints are, in this order, u alpha_(i-1) + beta_(i-1) - u alpha_i - beta_i = 0 at u = i / cells for i = 1,
  ..., cells - 1, and with a zero boundary beta_0 = 0 and alpha_last + beta_last = 0.
- Householder reflections H_1, H_2, ... triangulate the matrix that has the constraints as columns. Step k takes the
  column of the largest remaining norm, of equals the first, and reflects it on -sign(its entry k) times its norm. Zeros
  count as positive. For some cells above 16 LAPACK, on which the code relies, rounds one of them to a negative number:
  NEGATIVE lists those, and another LAPACK may have another basis there.
- The columns of A are those of H_1 H_2 ... beyond the last constraint, each multiplied by -1 if its largest entry in
  size, of equals the first, is negative.

All in decimals of 50 digits, by loops: neither NumPy, nor SciPy, nor the module is asked.
"""

from __future__ import annotations

import json
from decimal import Decimal, getcontext
from pathlib import Path

FILE = Path(__file__).with_suffix(".json")
CELLS = (2, 5, 10, 20)
DIGITS = 14
NEGATIVE = {20: (12,)}
"""The steps k, by cells, whose entry k is a zero that LAPACK takes for negative."""
EQUAL = Decimal("1e-30")
"""Numbers that differ by less are equal but for rounding."""


def constraints(cells: int, zero_boundary: bool) -> list[list[Decimal]]:
    """Return the constraints on A, one a row."""
    rows = []
    for i in range(1, cells):
        u, row = Decimal(i) / cells, [Decimal(0)] * (2 * cells)
        row[2 * i - 2 : 2 * i + 2] = [u, Decimal(1), -u, Decimal(-1)]
        rows.append(row)
    if zero_boundary:
        rows.append([Decimal(k == 1) for k in range(2 * cells)])
        rows.append([Decimal(k >= 2 * cells - 2) for k in range(2 * cells)])
    return rows


def reflect(vector: list[Decimal], mirror: list[Decimal]) -> list[Decimal]:
    """Return the vector minus twice its part along the mirror's normal."""
    factor = 2 * product(vector, mirror) / product(mirror, mirror)
    return [v - factor * m for v, m in zip(vector, mirror, strict=True)]


def product(one: list[Decimal], other: list[Decimal]) -> Decimal:
    return sum((a * b for a, b in zip(one, other, strict=True)), Decimal(0))


def first_largest(sizes: list[Decimal]) -> int:
    return next(i for i, size in enumerate(sizes) if max(sizes) - size < EQUAL)


def basis(cells: int, zero_boundary: bool) -> list[list[Decimal]]:
    """Return the basis, a column of A as a row."""
    columns, mirrors, size = constraints(cells, zero_boundary), [], 2 * cells
    count = len(columns)
    for k in range(count):
        pivot = columns.pop(first_largest([product(c[k:], c[k:]) for c in columns]))
        mirror, norm = [Decimal(0)] * k + pivot[k:], product(pivot[k:], pivot[k:]).sqrt()
        positive = pivot[k] > -EQUAL and k not in NEGATIVE.get(cells, ())
        mirror[k] += norm if positive else -norm
        columns, mirrors = [reflect(column, mirror) for column in columns], [*mirrors, mirror]
    turned = []
    for j in range(count, size):
        column = [Decimal(i == j) for i in range(size)]
        for mirror in reversed(mirrors):
            column = reflect(column, mirror)
        largest = column[first_largest([abs(c) for c in column])]
        turned.append([c.copy_sign(c if largest > 0 else -c) for c in column])
    return turned


def velocities(cells: int, zero_boundary: bool) -> list[list[float]]:
    """Return v01 at the vertices, ``[cells + 1, d]``."""
    columns = basis(cells, zero_boundary)
    cell = [min(i, cells - 1) for i in range(cells + 1)]
    rows = [[column[2 * c] * i / cells + column[2 * c + 1] for column in columns] for i, c in enumerate(cell)]
    return [[round(float(value), DIGITS) + 0.0 for value in row] for row in rows]


if __name__ == "__main__":
    getcontext().prec = 50
    matrices = {f"{n} {zero}": velocities(n, zero) for n in CELLS for zero in (True, False)}
    lines = (f"{json.dumps(name)}: {json.dumps(matrix)}" for name, matrix in matrices.items())
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")
    print(f"written: {FILE.name}, {len(matrices)} bases")
