"""The package, for commands typed in this folder: ``uv run python -m lighthouse.compare A B``.

It lies in ``workflow/lib``, where Snakemake's jobs find it; this module gives way to it.
"""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent / "workflow" / "lib"))
del sys.modules["lighthouse"]
import lighthouse  # noqa: E402, F401
