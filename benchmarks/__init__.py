"""Commands that measure what the package costs. README.md beside this file says which.

    uv run python -m benchmarks.sampling

From the repository's root; the package is found by itself.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "workflow" / "lib"

if str(LIBRARY) not in sys.path:
    sys.path.insert(0, str(LIBRARY))
