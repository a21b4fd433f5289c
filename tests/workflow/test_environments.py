"""Every rule runs with what its environment file lists, and the files list no more.

The first tests read files alone. The last ones run Snakemake with ``--use-conda``.
Real there: Snakemake's conda code path from the environment file to the rule's
interpreter, the packages and their versions, and every script. Standing in
(``standins/conda``): uv for conda's solver and channels. A guard in each environment
hides the host's packages, which Snakemake would put on every script's search path.
"""

import ast
import copy
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from functools import cache
from importlib.metadata import packages_distributions, requires
from pathlib import Path

import pytest
import yaml

from lighthouse.config.load import load_study
from lighthouse.parts.coresets import CORESETS
from lighthouse.parts.extractors import DISTANCE, EXTRACTORS
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.parts.selections import SELECTIONS
from lighthouse.parts.terms import TERMS
from lighthouse.report.items import items
from repository import HELPERS, LIBRARY, ROOT
from shipped import DEFAULT

STANDINS = HELPERS / "standins"
RULE_FILES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
ENVIRONMENTS = sorted((ROOT / "envs").glob("*.yaml"))

#: Submodules that need a package which their own distribution does not require.
NEEDED_BY_SUBMODULE = {"safetensors.torch": "torch", "safetensors.numpy": "numpy"}


def normalised(name: str) -> str:
    """A distribution's name as PyPI compares names."""
    return re.sub(r"[-_.]+", "-", name).lower()


def pins(lines: list[str]) -> dict[str, str]:
    """Versions by distribution, from lines ``name==version``."""
    return {normalised(name): version for name, version in (line.split("==") for line in lines)}


def environment_pins(path: Path) -> dict[str, str]:
    """The pins of an environment file's pip section."""
    dependencies = yaml.safe_load(path.read_text(encoding="utf-8"))["dependencies"]
    return pins(next(entry["pip"] for entry in dependencies if isinstance(entry, dict)))


#: A rule that is another one but for its files.
COPIES = r"^use rule (\w+) as (\w+) with:"


#: The name of the rule that the tables and figures share: one for each item.
ITEM = ""


def script_rules() -> dict[str, tuple[Path | None, Path]]:
    """Environment file and script of every rule that has a script, by the rule's name."""
    found = {}
    for path in RULE_FILES:
        _, *parts = re.split(r"^ *(?:rule|checkpoint) ?(\w*):", path.read_text("utf-8"), flags=re.M)
        for name, body in zip(parts[::2], parts[1::2], strict=True):
            given = dict(re.findall(r'^ +(conda|script):\s+"([^"]+)"', body, flags=re.M))
            if "script" in given:
                environment = (path.parent / given["conda"]).resolve() if "conda" in given else None
                found[name] = environment, (path.parent / given["script"]).resolve()
        for name, other in re.findall(COPIES, path.read_text("utf-8"), flags=re.M):
            found[other] = found[name]
    return found


RULES = script_rules()


#: What a script loads by name: all that a study may ask it for.
LOADED = {
    "sample.py": [
        *(term.make for term in TERMS.values()),
        *(each.choose for each in SELECTIONS.values()),
        *(look for each in SELECTIONS.values() for look in each.looks.values()),
        *(extractor.network for extractor in EXTRACTORS.values()),
    ],
    "gather.py": [each.choose for each in SELECTIONS.values()],
    "prior.py": [objective.make for objective in OBJECTIVES.values()],
    "autoencoder.py": (DISTANCE, *(extractor.network for extractor in EXTRACTORS.values())),
    "coreset.py": [each.choose for each in CORESETS.values() if not each.composes],
    "composed.py": [each.choose for each in CORESETS.values() if each.composes],
    **dict.fromkeys(
        ("extractor.py", "features.py", "set_metrics.py", "strategies.py", "prior_verdict.py"),
        tuple(extractor.network for extractor in EXTRACTORS.values()),
    ),
    "report.py": {item.maker for item in items(load_study(copy.deepcopy(DEFAULT), ROOT))},
}


class Reach:
    """What a script can import: third-party modules, by following its code.

    A function of the package counts where code that is reached names or imports it; a
    module's other code counts wherever the module is imported. So an import within a
    function is charged to the scripts that could call it, and to no others: a script
    that only reads arrays does not need the torch of the function beside.
    """

    def __init__(self, script: Path):
        self.modules: set[str] = set()
        self._seen: set[tuple[Path, str]] = set()
        self._visit(script, ast.parse(script.read_text(encoding="utf-8")))

    def _visit(self, path: Path, root: ast.AST) -> None:
        functions, _ = contents(path) if path.is_relative_to(LIBRARY) else ({}, [])
        for node in ast.walk(root):
            if isinstance(node, ast.Import):
                for alias in node.names:
                    self.imported(alias.name, "*")
            elif isinstance(node, ast.ImportFrom):
                assert not node.level, f"{path}: relative imports are not followed"
                for alias in node.names:
                    self.imported(node.module, alias.name)
            elif isinstance(node, ast.Name) and node.id in functions:
                self._function(path, node.id)

    def imported(self, module: str, name: str) -> None:
        """``from module import name``; ``*`` for ``import module``, of which all counts."""
        if module.partition(".")[0] != "lighthouse":
            self.modules |= {module, f"{module}.{name}"} if name != "*" else {module}
            return
        if module_file(f"{module}.{name}"):
            module, name = f"{module}.{name}", "*"
        parts = module.split(".")
        for depth in range(1, len(parts) + 1):
            self._module(module_file(".".join(parts[:depth])))
        path = module_file(module)
        functions, _ = contents(path)
        for function in functions if name == "*" else functions.keys() & {name}:
            self._function(path, function)

    def _module(self, path: Path) -> None:
        if (path, "") not in self._seen:
            self._seen.add((path, ""))
            for node in contents(path)[1]:
                self._visit(path, node)

    def _function(self, path: Path, name: str) -> None:
        if (path, name) not in self._seen:
            self._seen.add((path, name))
            self._visit(path, contents(path)[0][name])


@cache
def module_file(name: str) -> Path | None:
    """The file of a module of the package, or None."""
    stem = LIBRARY.joinpath(*name.split("."))
    candidates = (stem / "__init__.py", stem.with_suffix(".py"))
    return next((path for path in candidates if path.is_file()), None)


@cache
def contents(path: Path) -> tuple[dict[str, ast.AST], list[ast.AST]]:
    """A module's functions by name, and all its other code (classes count as such)."""
    body = ast.parse(path.read_text(encoding="utf-8")).body
    functions = {node.name: node for node in body if isinstance(node, ast.FunctionDef)}
    return functions, [node for node in body if node not in functions.values()]


@cache
def distributions_of(script: Path) -> frozenset[str]:
    """Distributions that a script reaches, by what it loads by name too."""
    reach = Reach(script)
    for maker in LOADED.get(script.name, ()):
        reach.imported(*maker.split(":"))
    modules = reach.modules
    installed = packages_distributions()
    top = {module.partition(".")[0] for module in modules} - set(sys.stdlib_module_names)
    unknown = top - installed.keys() - {"lighthouse"}
    assert not unknown, f"{script.name} imports {unknown}, which no installed package has"
    found = {normalised(name) for module in top for name in installed.get(module, [])}
    return frozenset(found | {NEEDED_BY_SUBMODULE[m] for m in modules & NEEDED_BY_SUBMODULE.keys()})


def own_requirements(distribution: str) -> set[str]:
    """What a distribution requires of itself, without extras."""
    lines = [line for line in requires(distribution) or [] if "extra ==" not in line]
    return {normalised(re.match(r"[\w.-]+", line)[0]) for line in lines}


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_pins_are_those_of_the_project(path):
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = pins(project["project"]["dependencies"])
    found = environment_pins(path)
    assert found == {name: wanted.get(name) for name in found}


def test_rules_are_found():
    text = "".join(path.read_text(encoding="utf-8") for path in RULE_FILES)
    scripts, copies = (len(re.findall(p, text, flags=re.M)) for p in (r"^\s+script:", COPIES))
    assert len(RULES) == scripts + copies > copies > 0


@pytest.mark.parametrize("rule", RULES)
def test_rule_names_an_environment(rule):
    environment, script = RULES[rule]
    assert script.is_file()
    assert environment in ENVIRONMENTS


@pytest.mark.parametrize("rule", RULES)
def test_environment_lists_what_the_script_imports(rule):
    environment, script = RULES[rule]
    missing = distributions_of(script) - environment_pins(environment).keys()
    assert not missing, f"{environment.name} lacks {sorted(missing)} for {script.name}"


@pytest.mark.parametrize("path", ENVIRONMENTS, ids=lambda path: path.stem)
def test_environment_lists_nothing_else(path):
    """A package is listed for a script, or to pin what such a package requires itself."""
    reached = {
        name
        for environment, script in RULES.values()
        if environment == path
        for name in distributions_of(script)
    }
    required = {name for distribution in reached for name in own_requirements(distribution)}
    unused = environment_pins(path).keys() - reached - required
    assert not unused, f"no rule with {path.name} needs {sorted(unused)}"


def test_reach_follows_functions_one_by_one(tmp_path):
    reader, writer = tmp_path / "reader.py", tmp_path / "writer.py"
    reader.write_text("from lighthouse.runtime.files import read_arrays\n")
    writer.write_text("from lighthouse.runtime.files import write_tensors\n")
    assert "torch" not in distributions_of(reader)
    assert "torch" in distributions_of(writer)


def conda(*arguments: str) -> subprocess.CompletedProcess:
    """Call the stand-in."""
    command = [sys.executable, str(STANDINS / "conda"), *arguments]
    return subprocess.run(command, capture_output=True, text=True)


def test_standin_refuses_what_only_conda_can_do(tmp_path):
    file = tmp_path / "environment.yaml"
    file.write_text("dependencies:\n  - python=3.11\n  - samtools=1.20\n")
    done = conda("env", "create", "--file", str(file), "--prefix", str(tmp_path / "made"))
    assert done.returncode == 2
    assert "line 3" in done.stderr and "samtools" in done.stderr
    assert conda("list", "--explicit").returncode == 2


@pytest.fixture(scope="module")
def conda_run(tmp_path_factory):
    """The whole workflow at toy size, each rule in its own environment.

    Twice: on the embedded digits, and on the paper's study with stand-ins for what comes
    from outside (``standins/paper.py``). Yields the folder, in which each has one of its
    own, what Snakemake said, and the records that the scripts left.
    """
    if not shutil.which("uv"):
        pytest.skip("the stand-in for conda builds environments with uv, which is not installed")
    folder = tmp_path_factory.mktemp("conda_run")
    records = folder / "records"
    records.mkdir()
    environment = {
        **os.environ,
        "PATH": f"{STANDINS}{os.pathsep}{os.environ['PATH']}",
        # Must not reach a script: conda deployment takes it away.
        "PYTHONPATH": str(LIBRARY),
        "STANDIN_RECORDS": str(records),
        # Every job starts two Pythons: compile each module once, wherever the test runs.
        "PYTHONPYCACHEPREFIX": str(folder / "bytecode"),
    }
    environment.pop("PYTHONDONTWRITEBYTECODE", None)

    def run(*command: object) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, *map(str, command)],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    made = run(STANDINS / "paper.py", folder / "outside")
    assert made.returncode == 0, made.stdout
    studies = {
        "tiny": [ROOT / "tests" / "configs" / f"{name}.yaml" for name in ("tiny", "reconstructed")],
        "paper": [ROOT / "config" / "paper.yaml", folder / "outside" / "toy.yaml"],
    }
    done = {
        name: run(
            *("-m", "snakemake", "--cores", 2, "--use-conda", "--conda-prefix", folder / "conda"),
            *("--snakefile", ROOT / "workflow/Snakefile", "--directory", folder / name),
            *("--configfile", *files),
        )
        for name, files in studies.items()
    }
    scripts = [json.loads(path.read_text(encoding="utf-8")) for path in records.iterdir()]
    yield folder, done, scripts
    # Where uv cannot link from its cache, the environments take gigabytes.
    for name in ("conda", "bytecode"):
        shutil.rmtree(folder / name, ignore_errors=True)


@pytest.mark.workflow
@pytest.mark.parametrize("study", ["tiny", "paper"])
def test_workflow_runs_in_its_environments(conda_run, study):
    folder, done, _ = conda_run
    assert done[study].returncode == 0, done[study].stdout
    for name in ("leaderboard", "accuracy", "significance", "cost", "ablation", "diversity", "fid"):
        assert (folder / study / "results" / "tables" / f"{name}.csv").stat().st_size
    for name in ("strategies", "accuracy_vs_ipc", "accuracy_vs_cost", "spectrum"):
        assert (folder / study / "results" / "figures" / f"{name}.pdf").stat().st_size
    with (folder / study / "results/tables/leaderboard.csv").open(encoding="utf-8") as file:
        assert {row["status"] for row in csv.DictReader(file)} <= {"measured", "not run"}


@pytest.mark.workflow
def test_students_of_reconstructed_images_have_their_row(conda_run):
    table = conda_run[0] / "tiny" / "results" / "tables" / "accuracy.csv"
    with table.open(encoding="utf-8") as file:
        found = {
            row["method"]: row["status"] for row in csv.DictReader(file) if row["ipc"] == "all"
        }
    assert found == {"full": "measured", "reconstructed": "measured"}


#: Rules that only fetch what comes from outside, which these runs have at hand.
FETCHING = {"download", "pretrained", "weights"}


@pytest.mark.workflow
def test_the_paper_at_toy_size_has_every_row_of_its_grid(conda_run):
    """Nine methods and the ceiling by hard labels, and as many by a teacher's."""
    table = conda_run[0] / "paper" / "results" / "tables" / "accuracy.csv"
    rows = list(csv.DictReader(table.open(encoding="utf-8")))
    main = [(row["method"], row["student"], row["protocol"]) for row in rows]
    methods = ["random", "dit", "minimax", "dit-igd", "control", "rsm", "rsm-cgs", "rsm-greedy"]
    methods += ["elsewhere", "full"]
    # A row of the ablation, and one of the sweep: the same method at another weight.
    methods += ["base-mean", "rsm-cgs"]
    protocols = ("igd", "rded")
    assert sorted(main) == sorted((m, "convnet6", p) for m in methods for p in protocols)
    assert {row["best_chosen_on"] for row in rows} == {"test"}


@pytest.mark.workflow
def test_every_script_ran_in_its_rules_environment(conda_run):
    folder, _, scripts = conda_run
    ran = {script["rule"] if script["rule"] in RULES else ITEM for script in scripts}
    assert ran == RULES.keys() - FETCHING
    for script in scripts:
        prefix = Path(script["prefix"])
        assert prefix.parent == (folder / "conda").resolve()
        assert Path(script["interpreter"]).parent == prefix / "bin"
        # Snakemake leaves a copy of the file that it built an environment from beside it.
        built_from = prefix.with_name(f"{prefix.name}.yaml").read_bytes()
        environment, _ = RULES.get(script["rule"], RULES[ITEM])
        assert built_from == environment.read_bytes(), script["rule"]
        assert script["pythonpath"] is None


@pytest.mark.workflow
def test_no_script_used_a_package_of_the_host(conda_run):
    """From outside its environment a script had Snakemake's modules and this project's."""
    for script in conda_run[2]:
        foreign = {
            name: path
            for name, path in script["outside"].items()
            if not name.startswith("snakemake") and not Path(path).is_relative_to(LIBRARY)
        }
        assert not foreign, script["rule"]


@pytest.mark.workflow
def test_guard_hides_the_host(conda_run):
    """The guard at work: pandas, which data.yaml lacks, stays unseen on the host's path."""
    of_data = {rule for rule, (environment, _) in RULES.items() if environment.stem == "data"}
    prefix = next(s["prefix"] for s in conda_run[2] if s["rule"] in of_data)
    host = [path for path in sys.path if Path(path, "pandas").is_dir()]
    code = f"import sys; sys.path.extend({host!r}); import snakemake.iocontainers, pandas"
    done = subprocess.run([f"{prefix}/bin/python", "-c", code], capture_output=True, text=True)
    assert host and "No module named 'pandas'" in done.stderr
