"""Which room of the package may import which, and what no job of a kind may reach."""

import ast
import re
from pathlib import Path

import pytest

import lighthouse
from repository import ROOT

LIBRARY = ROOT / "workflow" / "lib"
PACKAGE = "lighthouse"
RULES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))

#: What each room may import, itself aside, wherever an import stands: at the top, in a function,
#: for a type checker. A room is a folder or a module right below the package; imports go one way.
MAY_IMPORT = {
    "runtime": set(),
    "tables": {"runtime"},
    "steps": set(),
    "units": set(),
    "parts": {"runtime", "steps", "units"},
    "datasets": {"runtime"},
    "students": {"runtime", "datasets"},
    "couplings": set(),
    "config": {"runtime", "steps", "parts", "datasets", "students", "couplings"},
    "metrics": {"runtime", "tables", "parts", "datasets", "students"},
    "coresets": {"runtime", "datasets", "metrics"},
    "mosaics": {"runtime", "students"},
    "selection": {"runtime", "students", "metrics", "coresets"},
    "guidance": {"runtime", "units", "datasets", "students"},
    "diffusion": {"runtime", "steps", "datasets", "couplings", "guidance", "selection"},
    "priors": {"runtime", "steps", "datasets", "diffusion"},
    "report": {"runtime", "tables", "parts", "datasets", "config", "metrics"},
    "results": {"runtime", "tables"},
    "digests": {"runtime", "results"},
    "compare": {"runtime", "results", "digests"},
    "manifest": {"runtime", "config", "results"},
    "verify": {"runtime", "config", "manifest"},
    "alike": {"runtime", "tables", "results", "manifest"},
    "check": {"config", "runtime"},
    "proposal": {
        "runtime",
        "datasets",
        "students",
        "config",
        "couplings",
        "diffusion",
        "priors",
        "report",
    },
    "new": {"runtime", "datasets", "config", "proposal"},
}

#: What code must not reach through any import, however many modules lie between: by patterns
#: below ``workflow``, rooms of the package and packages of others.
NEVER_REACHED = {
    "scripts/prior.py": {"guidance", "units", "students", "metrics", "config", "report"},
    "lib/lighthouse/priors/*.py": {"guidance", "units", "students", "metrics", "config", "report"},
    "lib/lighthouse/metrics/*.py": {"report", "diffusion", "diffusers"},
    "lib/lighthouse/students/*.py": {"report", "diffusion", "diffusers", "torchvision"},
    "scripts/set_metrics.py": {"report", "diffusion", "diffusers"},
    "scripts/student.py": {"report", "diffusion", "diffusers", "torchvision"},
}

#: What takes long to load, and none of which Snakemake should load at each of its starts.
HEAVY = {"torch", "torchvision", "diffusers", "sklearn", "skimage", "matplotlib", "pandas"}


class Walk(ast.NodeVisitor):
    """The modules that a source imports, by dotted name, a name from a module among them.

    late: inside functions and for type checkers too, or only what loading it imports.
    """

    def __init__(self, source, late):
        self.found, self.late = [], late
        self.visit(ast.parse(source))

    def visit_Import(self, node):
        self.found += [[alias.name] for alias in node.names]

    def visit_ImportFrom(self, node):
        assert not node.level, "a relative import"
        self.found += [[node.module, f"{node.module}.{alias.name}"] for alias in node.names]

    def visit_FunctionDef(self, node):
        if self.late:
            self.generic_visit(node)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_If(self, node):
        if self.late or ast.unparse(node.test) != "TYPE_CHECKING":
            self.generic_visit(node)


def rooms_imported(source):
    names = [names[0] if names[0] != PACKAGE else names[-1] for names in Walk(source, True).found]
    return {name.split(".")[1] for name in names if name.startswith(f"{PACKAGE}.")}


def rooms_of(library):
    """The sources of each room of the package below a folder."""
    found = {}
    for path in sorted((library / PACKAGE).rglob("*.py")):
        parts = path.relative_to(library / PACKAGE).parts
        found.setdefault(parts[0].removesuffix(".py"), []).append(path)
    del found["__init__"]
    return found


def wrong_imports(library, table):
    """Imports that the table does not allow, as (room, room)."""
    return {
        (room, other)
        for room, paths in rooms_of(library).items()
        for path in paths
        for other in rooms_imported(path.read_text("utf-8"))
        if other != room and other not in table.get(room, ())
    }


def reached(source, library, late=True):
    """Rooms of the package, and packages of others, that a source reaches."""
    pending, loaded, found = [source], set(), set()
    while pending:
        for names in Walk(pending.pop(), late).found:
            first, *parts = names[-1].split(".")
            if first != PACKAGE:
                found.add(first)
                continue
            for depth in range(len(parts) + 1):
                stem = library.joinpath(first, *parts[:depth])
                for path in (stem / "__init__.py", stem.with_suffix(".py")):
                    if path.is_file() and path not in loaded:
                        loaded.add(path)
                        found |= set(parts[: min(depth, 1)])
                        pending.append(path.read_text("utf-8"))
    return found


# The package.


def test_a_room_imports_those_it_may_and_no_other():
    assert set(MAY_IMPORT) == set(rooms_of(LIBRARY))
    assert wrong_imports(LIBRARY, MAY_IMPORT) == set()


def test_imports_go_one_way():
    before = set()
    for room, others in MAY_IMPORT.items():
        assert others <= before, room
        before.add(room)


def test_the_package_names_its_rooms_in_that_order():
    assert re.findall(r"``(\w+)``", lighthouse.__doc__) == list(MAY_IMPORT)


@pytest.mark.parametrize("pattern", NEVER_REACHED)
def test_what_a_job_must_not_reach_it_does_not(pattern):
    paths = list((ROOT / "workflow").glob(pattern))
    assert paths
    for path in paths:
        assert reached(path.read_text("utf-8"), LIBRARY) & NEVER_REACHED[pattern] == set(), path


def test_what_reads_a_config_loads_nothing_heavy():
    for path in (LIBRARY / PACKAGE / "config").glob("*.py"):
        assert reached(path.read_text("utf-8"), LIBRARY, late=False) & HEAVY == set(), path


def test_snakemake_loads_nothing_heavy_with_the_rules():
    lines = [line for path in RULES for line in path.read_text("utf-8").splitlines()]
    imports = [line for line in lines if line.startswith(("from lighthouse", "import lighthouse"))]
    assert imports
    assert reached("\n".join(imports), LIBRARY, late=False) & HEAVY == set()


# The checks themselves, on an invented package.

TABLE = {"low": set(), "high": {"low"}, "flat": {"low"}}


@pytest.fixture
def invented(tmp_path):
    """A folder with a package in which ``high`` and ``flat`` import ``low``."""
    files = {
        "__init__.py": "",
        "low/__init__.py": "",
        "low/base.py": "import json\n",
        "high/__init__.py": "",
        "high/top.py": "from lighthouse.low.base import json\n",
        "flat.py": "from lighthouse import low\n",
    }
    for name, text in files.items():
        path = tmp_path / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def test_a_right_package_has_no_wrong_import(invented):
    assert set(rooms_of(invented)) == set(TABLE)
    assert wrong_imports(invented, TABLE) == set()


@pytest.mark.parametrize(
    "added",
    [
        "from lighthouse.high.top import json",
        "import lighthouse.high",
        "from lighthouse import high",
        "def late():\n    from lighthouse.high import top",
        "class A:\n    async def late(self):\n        import lighthouse.high.top",
        "if TYPE_CHECKING:\n    from lighthouse.high.top import json",
        "try:\n    import lighthouse.high.top as top\nexcept ImportError:\n    top = None",
    ],
)
def test_a_wrong_import_is_found_wherever_it_stands(invented, added):
    with Path(invented, PACKAGE, "low", "base.py").open("a") as file:
        file.write(f"{added}\n")
    assert wrong_imports(invented, TABLE) == {("low", "high")}


def test_a_room_that_the_table_does_not_know_may_import_nothing(invented):
    (invented / PACKAGE / "new.py").write_text("from lighthouse.low import base\n")
    assert wrong_imports(invented, TABLE) == {("new", "low")}


def test_what_is_reached_goes_through_other_modules(invented):
    assert reached("import lighthouse.flat", invented) == {"flat", "low"}
    assert reached("from lighthouse.high import top", invented) == {"high", "low", "json"}


def test_loading_reaches_no_late_import_and_everything_else_does(invented):
    late = "if TYPE_CHECKING:\n    import torch\ndef f():\n    import lighthouse.low.base\n"
    (invented / PACKAGE / "flat.py").write_text(late)
    assert reached("import lighthouse.flat", invented, late=False) == {"flat"}
    assert reached("import lighthouse.flat", invented) == {"flat", "low", "json", "torch"}
