"""What the repository ships, its config and its schemas, and changes to them."""

import copy

import pytest
import yaml

from lighthouse.config.load import load_study
from lighthouse.config.schema import ConfigError, load_schema
from repository import ROOT

SCHEMAS = ROOT / "workflow" / "schemas"
#: The default's config, with the claims that go with it as a whole.
DEFAULT = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
#: The same without claims, so that a test may take out a method, an IPC or a sweep of theirs.
SHIPPED = {**DEFAULT, "run": {**DEFAULT["run"], "claims": None}}
#: Of `run`, what a study can do without.
LEFT_OUT = {
    "only": [],
    "claims": None,
    "comparisons": {"pairs": []},
    "tuning": None,
    "ablation": None,
    "sweep": None,
    "strategies": None,
}
SCHEMA = load_schema(SCHEMAS / "config.schema.yaml")


def changed(path, value, config=SHIPPED):
    """The shipped config with the entry at a dotted path set, removed where None."""
    config = copy.deepcopy(config)
    *parents, last = path.split(".")
    place = config
    for key in parents:
        place = place[key]
    if value is None:
        del place[last]
    elif value == "null":
        place[last] = None
    else:
        place[last] = value
    return config


def without(*methods, config=SHIPPED):
    """The shipped config without some of its methods."""
    config = copy.deepcopy(config)
    left = [name for name in config["run"]["methods"] if name not in methods]
    only = [
        {**entry, "methods": [name for name in entry["methods"] if name not in methods]}
        for entry in config["run"]["only"]
    ]
    config["run"] |= {"methods": left, "only": [entry for entry in only if entry["methods"]]}
    return config


def with_external(**sets):
    """The shipped config with finished sets of the digits, by name; all that is said of each."""
    config = copy.deepcopy(SHIPPED)
    config["external"] = {
        name: {"dataset": "digits", "root": f"data/{name}", "label": name.title(), **given}
        for name, given in sets.items()
    }
    return config


def shipped_lines(name):
    """The lines of a shipped table, its header first."""
    return (ROOT / "config" / f"{name}.tsv").read_text(encoding="utf-8").splitlines()


def table(tmp_path, name, edit, config=SHIPPED):
    """The shipped config with a table whose lines went through ``edit``."""
    path = tmp_path / f"{name}.tsv"
    path.write_text("\n".join(edit(shipped_lines(name))) + "\n", encoding="utf-8")
    return changed(f"tables.{name}", str(path), config)


def hyperparameters(row, **fields):
    """A line of the shipped hyperparameter table with some of its fields set."""
    names = shipped_lines("hyperparameters")[0].split("\t")
    values = row.split("\t")
    for name, value in fields.items():
        values[names.index(name)] = str(value)
    return "\t".join(values)


def problems(config):
    with pytest.raises(ConfigError) as error:
        load_study(config, ROOT)
    return error.value.problems


def one_problem(config, *words):
    (line,) = problems(config)
    assert [word for word in words if word not in line] == [], line
