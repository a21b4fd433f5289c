"""Every module can be imported, and every command starts."""

import ast
import csv
import os
import subprocess
import sys

import pytest

from repository import LIBRARY, ROOT


def modules(package, root):
    """Names of a package's modules, with their files."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        *parts, last = path.relative_to(root).with_suffix("").parts
        found[".".join(parts if last == "__init__" else [*parts, last])] = path
    return found


def starts(path):
    """Whether a file does something when it is run: ``if __name__ == "__main__":``."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    asked = [ast.unparse(node.test) for node in tree.body if isinstance(node, ast.If)]
    return "__name__ == '__main__'" in asked


MODULES = modules("lighthouse", LIBRARY)
BENCHMARKS = modules("benchmarks", ROOT)
COMMANDS = sorted(name for name, path in {**MODULES, **BENCHMARKS}.items() if starts(path))


def run(*arguments):
    """A fresh Python in the repository's root, without a search path of its own."""
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_every_module_can_be_imported():
    assert {"lighthouse", "lighthouse.guidance.dpp", "lighthouse.runtime.job"} <= set(MODULES)
    names = [*BENCHMARKS, *MODULES]  # the first of them finds the package
    program = "import importlib, sys\nfor name in sys.argv[1:]:\n    importlib.import_module(name)"
    run("-c", program, *names)


def test_a_command_is_known_by_its_last_lines(tmp_path):
    (tmp_path / "module.py").write_text('"""if __name__ == "__main__": main()"""\n')
    assert not starts(tmp_path / "module.py")
    (tmp_path / "module.py").write_text('if __name__ == "__main__":\n    print()\n')
    assert starts(tmp_path / "module.py")
    assert {"benchmarks.startup", "benchmarks.sampling"} <= set(COMMANDS)


#: Starts each command as ``python -m`` does, all in one process: most load torch.
HELPS = """
import runpy, sys
names = sys.argv[1:]
for name in names:
    print("command", name, flush=True)
    sys.argv = [name, "--help"]
    try:
        runpy.run_module(name, run_name="__main__", alter_sys=True)
    except SystemExit as left:
        assert not left.code, name
"""


def test_every_command_says_what_it_takes():
    _, *said = run("-c", HELPS, *COMMANDS).split("command ")
    assert [text.split()[:2] for text in said] == [[name, "usage:"] for name in COMMANDS]


def test_the_cost_of_sampling_is_measured(tmp_path):
    small = ("--model", "dit-tiny", "--memory-model", "dit-tiny", "--micro-batch", 2)
    few = ("--ipc", 2, 3, "--memory-ipc", 2, "--repeats", 1, "--threads", 1)
    run("-m", "benchmarks.sampling", *small, *few, "--out", tmp_path)

    def rows(name):
        with (tmp_path / f"{name}.csv").open(encoding="utf-8", newline="") as file:
            return list(csv.DictReader(file))

    ways = rows("sampling")
    assert list(dict.fromkeys(row["way"] for row in ways)) == ["lighthouse", "diffusers", "peers"]
    assert all(float(row["seconds_per_image"]) > 0 for row in ways)
    assert all(float(row["tflops"]) > 0 for row in ways)
    two, three, *others = rows("guidance")
    assert [row["terms"] for row in others] == ["support", "support"]
    # Three images take three times what one takes, two twice.
    ratio = float(three["denoiser_s"]) / float(two["denoiser_s"])
    assert ratio == pytest.approx(1.5, rel=1e-3)
    assert 0 < float(two["guidance_percent"]) < 100
    assert float(two["peak_gib"]) > 0 and three["peak_gib"] == ""
