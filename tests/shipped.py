"""What the repository ships, its config and its schemas, and changes to them."""

import copy
from pathlib import Path

import pytest
import yaml

from lighthouse.config import ConfigError, load_study
from lighthouse.config.schema import load_schema

BASE = Path(__file__).parents[1]
SCHEMAS = BASE / "workflow" / "schemas"
SHIPPED = yaml.safe_load((BASE / "config" / "config.yaml").read_text())
SCHEMA = load_schema(SCHEMAS / "config.schema.yaml")


def changed(path, value):
    """The shipped config with the entry at a dotted path set, removed where None."""
    config = copy.deepcopy(SHIPPED)
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


def table(tmp_path, name, edit):
    """The shipped config with a table whose lines went through ``edit``."""
    lines = (BASE / "config" / f"{name}.tsv").read_text().splitlines()
    path = tmp_path / f"{name}.tsv"
    path.write_text("\n".join(edit(lines)) + "\n")
    return changed(f"tables.{name}", str(path))


def problems(config):
    with pytest.raises(ConfigError) as error:
        load_study(config, BASE)
    return error.value.problems


def one_problem(config, *words):
    (line,) = problems(config)
    assert [word for word in words if word not in line] == [], line
