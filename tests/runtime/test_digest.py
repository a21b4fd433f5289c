"""The digest of a rule's code: what changes it, and what does not."""

import ast
import os
import subprocess
import time

import pytest

from lighthouse.runtime.digest import code_digest
from repository import ROOT

LIBRARY = ROOT / "workflow" / "lib"
SCRIPTS = ROOT / "workflow" / "scripts"

FILES = {
    "script.py": """
from lighthouse.top import used
import lighthouse.room.deep as deep
print(used(2), deep.LIMIT)
""",
    "lighthouse/__init__.py": "",
    "lighthouse/top.py": '''
"""A module."""
import os
from functools import cache
from typing import TYPE_CHECKING

from lighthouse.room import helper as shown
from lighthouse.tables import note

if TYPE_CHECKING:
    from lighthouse.typed import Kind

SIZE: int = 3
UNUSED = 4


@cache
def used(count: int) -> "Kind":
    """What it does."""
    from lighthouse.late import lately

    return lately(count + SIZE) + shown()


def unused():
    return UNUSED


@note
def noted():
    return 1


os.environ["WHO"] = "top"
''',
    "lighthouse/room/__init__.py": "from lighthouse.room.deep import helper\n",
    "lighthouse/room/deep.py": """
import math
from math import inf
import json

LIMIT, OTHER = inf, math.pi


class Base:
    def run(self):
        return 1


class Thing(Base):
    pass


class Aside:
    pass


def helper():
    return Thing().run()


def dumps():
    return json.dumps(OTHER)
""",
    "lighthouse/late.py": "def lately(x):\n    return x\n\ndef never(x):\n    return -x\n",
    "lighthouse/tables.py": "NOTES = []\n\ndef note(f):\n    NOTES.append(f)\n    return f\n",
    "lighthouse/typed.py": "class Kind:\n    pass\n",
    "lighthouse/terms.py": """
from lighthouse.late import never

WEIGHT = 2

def term(x):
    return WEIGHT * never(x)

def other(x):
    return x
""",
}


@pytest.fixture
def package(tmp_path):
    """A script and a package of which it uses some names."""
    for name, text in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def digest(package, extra=()):
    return code_digest(package / "script.py", package, extra)


def edit(package, name, old, new):
    text = (package / name).read_text()
    assert old in text
    (package / name).write_text(text.replace(old, new))


@pytest.mark.parametrize(
    "name, old, new",
    [
        ("script.py", "used(2)", "used(3)"),
        ("lighthouse/top.py", "count + SIZE", "count - SIZE"),
        ("lighthouse/top.py", "SIZE: int = 3", "SIZE: int = 5"),
        ("lighthouse/top.py", "@cache\n", ""),
        ("lighthouse/top.py", "helper as shown", "dumps as shown"),
        # Behind an import in a function, a package's own import, a class's base.
        ("lighthouse/late.py", "return x", "return 2 * x"),
        ("lighthouse/room/__init__.py", "import helper", "import dumps as helper"),
        ("lighthouse/room/deep.py", "        return 1", "        return 2"),
        ("lighthouse/room/deep.py", "Thing()", "Base()"),
        # A name from elsewhere, and one of several that an assignment binds.
        ("lighthouse/room/deep.py", "from math import inf", "from numpy import inf"),
        ("lighthouse/room/deep.py", "math.pi", "math.e"),
        # What modules do when they are loaded.
        ("lighthouse/top.py", '"WHO"] = "top"', '"WHO"] = "me"'),
        ("lighthouse/top.py", "def noted():\n    return 1", "def noted():\n    return 2"),
        ("lighthouse/tables.py", "NOTES.append(f)", "NOTES.insert(0, f)"),
        ("lighthouse/tables.py", "NOTES = []", "NOTES = [print]"),
        ("lighthouse/room/__init__.py", "import helper\n", "import helper\nprint()\n"),
        ("lighthouse/room/deep.py", "import json", "import json\nimport readline"),
    ],
)
def test_an_edit_of_what_a_script_reaches_changes_its_digest(package, name, old, new):
    before = digest(package)
    edit(package, name, old, new)
    assert digest(package) != before


@pytest.mark.parametrize(
    "name, old, new",
    [
        ("lighthouse/top.py", "UNUSED = 4", "UNUSED = 5"),
        ("lighthouse/top.py", "return UNUSED", "return -UNUSED"),
        ("lighthouse/top.py", "def unused():", "ADDED = 1\n\n\ndef unused():"),
        ("lighthouse/late.py", "return -x", "return 0"),
        ("lighthouse/room/deep.py", "class Aside:\n    pass", "class Aside:\n    field = 1"),
        ("lighthouse/room/deep.py", "import json", "import pickle as json"),
        ("lighthouse/room/deep.py", "json.dumps(OTHER)", "json.dumps(1)"),
        ("lighthouse/typed.py", "pass", "field = 1"),
        ("lighthouse/terms.py", "WEIGHT = 2", "WEIGHT = 3"),
    ],
)
def test_an_edit_of_what_it_does_not_reach_does_not(package, name, old, new):
    before = digest(package)
    edit(package, name, old, new)
    assert digest(package) == before


@pytest.mark.parametrize(
    "name, old, new",
    [
        ("lighthouse/top.py", '"""A module."""', '"""Another text."""'),
        ("lighthouse/top.py", '"""What it does."""', '"""What it does not."""'),
        ("lighthouse/top.py", '    """What it does."""\n', ""),
        ("lighthouse/top.py", "count + SIZE", "(count  # of them\n        + SIZE)"),
        ("lighthouse/top.py", "count: int", "count: float"),
        ("lighthouse/top.py", '-> "Kind"', "-> TYPE_CHECKING"),
        ("lighthouse/top.py", '"WHO"', "'WHO'"),
        ("lighthouse/__init__.py", "", '"""The package."""\n'),
        ("lighthouse/__init__.py", "", "VERSION = 1\n"),
        ("script.py", "\nfrom", '"""A script."""\n# Why.\nfrom'),
        ("script.py", "used(2), ", "used(2),\n    "),
    ],
)
def test_words_and_layout_do_not(package, name, old, new):
    before = digest(package)
    edit(package, name, old, new)
    assert digest(package) == before


def test_a_module_that_is_used_as_a_value_counts_whole(package):
    edit(package, "script.py", "deep.LIMIT", 'getattr(deep, "LIMIT")')
    before = digest(package)
    edit(package, "lighthouse/room/deep.py", "json.dumps(OTHER)", "json.dumps(1)")
    assert digest(package) != before


def test_a_module_without_the_name_that_is_asked_of_it_counts_whole(package):
    edit(package, "script.py", "deep.LIMIT", "deep.made_at_run_time")
    before = digest(package)
    edit(package, "lighthouse/room/deep.py", "json.dumps(OTHER)", "json.dumps(1)")
    assert digest(package) != before


def test_two_definitions_of_a_name_both_count(package):
    edit(package, "lighthouse/late.py", "def never", "lately = print(lately)\n\ndef never")
    before = digest(package)
    edit(package, "lighthouse/late.py", "print(lately)", "list(lately)")
    assert digest(package) != before


def test_a_name_that_a_package_binds_hides_a_module_of_that_name(package):
    (package / "lighthouse/room/helper.py").write_text("def helper():\n    return 1\n")
    init = package / "lighthouse/room/__init__.py"
    init.write_text("from lighthouse.room.helper import helper\n")
    before = digest(package)
    edit(package, "lighthouse/room/helper.py", "return 1", "return 2")
    assert digest(package) != before


@pytest.mark.parametrize(
    "name, old, new, changes",
    [
        ("lighthouse/terms.py", "WEIGHT = 2", "WEIGHT = 3", True),
        ("lighthouse/late.py", "return -x", "return 0", True),
        ("lighthouse/terms.py", "    return x\n", "    return 0\n", False),
    ],
)
def test_what_a_rule_says_is_imported_by_name_counts(package, name, old, new, changes):
    extra = ["lighthouse.terms:term"]
    before = digest(package, extra)
    assert before != digest(package)
    edit(package, name, old, new)
    assert (digest(package, extra) != before) == changes


@pytest.mark.parametrize("name", ["lighthouse.terms:nothing", "lighthouse.nothing:term"])
def test_a_name_that_is_not_there_is_refused(package, name):
    with pytest.raises(LookupError, match="nothing"):
        digest(package, [name])


def test_a_touch_does_not_change_a_digest(package):
    before = digest(package)
    os.utime(package / "lighthouse/top.py", (1, 1))
    assert digest(package) == before


def test_the_digest_is_the_same_wherever_the_repository_lies(package, tmp_path_factory):
    elsewhere = tmp_path_factory.mktemp("other") / "copy"
    subprocess.run(["cp", "-r", package, elsewhere], check=True)
    assert digest(package) == digest(elsewhere)


# The package itself.


def test_the_library_has_no_imports_which_a_digest_would_miss():
    for path in LIBRARY.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ImportFrom):
                assert not node.level and node.names[0].name != "*", path
            assert not (isinstance(node, ast.FunctionDef) and node.name == "__init_subclass__"), (
                path
            )


def test_all_scripts_are_digested_in_a_moment():
    scripts = sorted(SCRIPTS.glob("*.py"))
    start = time.process_time()
    found = {code_digest(script, LIBRARY) for script in scripts}
    assert time.process_time() - start < 3  # of which 0.5 s on an idle core
    assert len(found) == len(scripts)
