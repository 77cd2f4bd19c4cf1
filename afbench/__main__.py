"""``python -m afbench``."""

import os
import sys

# ``-m`` puts the current folder first: a random.py or torch.py there would be imported in place of the real one. The
# console script does not; what --acts pkg.module:Class looks for in the current folder comes last in both.
if not sys.flags.safe_path and sys.path and sys.path[0] in ("", os.getcwd()):
    sys.path.append(sys.path.pop(0))

from .cli import main  # noqa: E402

if __name__ == "__main__":
    raise SystemExit(main())
