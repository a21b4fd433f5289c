"""Where the repository and its parts are."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LIBRARY = ROOT / "workflow" / "lib"
HELPERS = ROOT / "tests" / "helpers"
