"""Reading and checking a study, with every mistake told at once."""

import json
from collections.abc import Mapping
from pathlib import Path

from lighthouse.config.checks import cross_checks, published_names
from lighthouse.config.grid import Method, method_of
from lighthouse.config.inherited import following
from lighthouse.config.plain import mistakes
from lighthouse.config.presets import shipped_under
from lighthouse.config.schema import ConfigError, check, load_schema, shortened
from lighthouse.config.settings import table_path
from lighthouse.config.study import Study
from lighthouse.config.table_files import read_table
from lighthouse.parts.coresets import WITH_OPTIONS
from lighthouse.parts.option import with_defaults
from lighthouse.parts.selections import SELECTIONS
from lighthouse.parts.terms import TERMS
from lighthouse.runtime.faults import unseen


def load_study(config: Mapping, base: str | Path, home: str | Path | None = None) -> Study:
    """Validate ``config`` (as Snakemake merged it), read its tables, and check what they span.

    home: the folder to which the config's paths are relative; ``base``, the repository, unless
    given. Raises ``ConfigError`` with every mistake found, each with its place.
    """
    try:
        return _load_study(config, Path(base), Path(home or base))
    except OSError as error:  # a place that it names cannot be looked at
        raise ConfigError([shortened(f"config: {unseen(error)}")]) from None


def _load_study(config: Mapping, base: Path, home: Path) -> Study:
    if found := mistakes(config):
        raise ConfigError(shortened(f"config: {line}") for line in found)
    # Plain dictionaries: of a file of JSON Snakemake makes others.
    config = completed(json.loads(json.dumps(config)))
    schemas = base / "workflow" / "schemas"
    schema = load_schema(schemas / "config.schema.yaml")
    # Of a preset that is not known all keys would be missing, too.
    named = {"properties": {"preset": schema["properties"]["preset"]}}
    if found := check(config, named, "config"):
        raise ConfigError(found)
    problems = check(config, schema, "config")
    tables = {"$defs": schema["$defs"], **schema["properties"]["tables"]}
    if check(config.get("tables"), tables, "config"):
        raise ConfigError(problems)
    rows = {}
    for name in ("methods", "hyperparameters", "published"):
        columns = load_schema(schemas / f"{name}.schema.yaml")
        rows[name], found = read_table(table_path(config, base, name), columns)
        problems += found
    if problems:
        raise ConfigError(problems)
    methods = {row["method"]: method_of(row) for row in rows["methods"]}
    for name, given in config["external"].items():
        methods.setdefault(name, Method(name, given["label"], external=True))
    study = Study(config, base, methods, rows["hyperparameters"], home)
    study = following(study, completed(shipped_under(config, base)))
    problems = [*published_names(rows["published"], study), *cross_checks(study)]
    if problems:
        raise ConfigError(dict.fromkeys(problems))
    return study


def completed(config: Mapping) -> Mapping:
    """A config with the declared options of terms, coresets and selections that it leaves out."""
    declared = {"guidance": TERMS, "coresets": WITH_OPTIONS, "selections": SELECTIONS}
    given = {"coresets": {}, "selections": {}, **config}
    return given | {
        key: with_defaults(parts, given[key])
        for key, parts in declared.items()
        if isinstance(given.get(key), dict)
    }


def check_name(study: Study) -> None:
    """Raise ``ConfigError`` where another study goes by the shipped one's name.

    Its results would replace those of the default.
    """
    default = completed(shipped_under({}, study.base))
    if study.folder is None and study.config != default:
        changed = [key for key in study.config if study.config[key] != default.get(key)]
        raise ConfigError(
            [
                "config: study: 'default' is config/config.yaml as it is, and this one "
                f"differs in {', '.join(changed)}; name it (`study: my`, results go to "
                "runs/my), or give it a folder (`--directory runs/my`)"
            ]
        )
