from __future__ import annotations

import numpy as np


def test_values(curve, grid):
    np.testing.assert_array_equal(curve("identity", grid), grid)
