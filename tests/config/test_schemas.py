"""Schemas, defaults and registries agree."""

import re

import pytest

from lighthouse.config.key_tables import GROUP, Keys
from lighthouse.config.schema import check, load_schema
from repository import ROOT
from shipped import DEFAULT, SCHEMA, SCHEMAS, SHIPPED


def properties(schema, place=""):
    """Every named key of a schema with its place; what a reference says of it, too."""
    for name, spec in schema.get("properties", {}).items():
        yield f"{place}{name}", resolved(spec)
        yield from properties(spec, f"{place}{name}.")
    for part in ("items", "additionalProperties"):
        if isinstance(schema.get(part), dict):
            yield from properties(schema[part], f"{place}*.")
    for name, spec in schema.get("$defs", {}).items():
        yield from properties(spec, f"{place}{name}.")


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_key_of_a_schema_has_a_description(path):
    bare = [place for place, spec in properties(load_schema(path)) if not spec.get("description")]
    assert bare == []


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.yaml")), ids=lambda path: path.stem)
def test_every_description_of_a_schema_is_whole(path):
    """Within braces a comma ends a text that has no quotes."""
    said = {place: spec.get("description", "") for place, spec in properties(load_schema(path))}
    assert {place: text for place, text in said.items() if not text.endswith(".")} == {}


def closed(schema):
    """Every object of a schema that lists its keys, with its place."""
    stack = [("", schema)]
    while stack:
        place, spec = stack.pop()
        if "properties" in spec:
            yield place, spec
        for name, child in {**spec.get("properties", {}), **spec.get("$defs", {})}.items():
            stack.append((f"{place}.{name}", child))
        if isinstance(spec.get("additionalProperties"), dict):
            stack.append((f"{place}.*", spec["additionalProperties"]))


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.yaml")), ids=lambda path: path.stem)
def test_no_object_of_a_schema_lets_a_typo_pass(path):
    open_ones = [
        place
        for place, spec in closed(load_schema(path))
        if spec.get("additionalProperties") is not False
        and not (place == ".priors" and isinstance(spec.get("additionalProperties"), dict))
    ]
    assert open_ones == []


def resolved(schema):
    """A schema with its reference merged in: keys and required keys of both."""
    return Keys(SCHEMA).resolved(schema)


def drift(config, schema, place="config"):
    """Where the shipped config lacks a key that the schema requires, or says one it does not name.

    What is required of some kinds only is not the schema's to say, but ``config.option_checks``'.
    """
    schema = resolved(schema)
    schema = resolved(schema["anyOf"][1]) if "anyOf" in schema else schema
    named = schema.get("properties", {})
    if not isinstance(config, dict):
        return
    if named:
        lacking = set(schema.get("required", [])) - set(config)
        yield from ((place, sorted(keys)) for keys in (lacking, set(config) - set(named)) if keys)
    for key, value in config.items():
        child = named.get(key, schema.get("additionalProperties"))
        if isinstance(child, dict):
            yield from drift(value, child, f"{place}.{key}")


def test_the_shipped_config_has_the_keys_that_the_schema_names():
    assert list(drift(DEFAULT, SCHEMA)) == []


def enum(*path, schema="config"):
    """Allowed words of a key, by its path through the schema."""
    place = load_schema(SCHEMAS / f"{schema}.schema.yaml")
    for name in path:
        place = place["additionalProperties"] if name == "*" else place["properties"][name]
    return set(place["enum"])


def test_the_couplings_of_the_schema_are_those_of_the_code():
    from lighthouse.couplings import COUPLINGS

    assert enum("coupling", schema="methods") == set(COUPLINGS)


def test_the_readings_of_rsm_in_the_schema_are_those_of_the_code():
    from lighthouse.priors.objectives import L1_CENTRES, L1_WEIGHTINGS

    assert set(SCHEMA["$defs"]["l1_weighting"]["enum"]) == set(L1_WEIGHTINGS)
    assert set(SCHEMA["$defs"]["l1_centre"]["enum"]) == set(L1_CENTRES)


def test_the_sources_of_the_schema_are_those_of_the_code():
    from lighthouse.datasets.fastai import EDITIONS
    from lighthouse.datasets.labels import LABELS
    from lighthouse.datasets.sources import SOURCES

    assert enum("datasets", "*", "source") == set(SOURCES)
    assert enum("datasets", "*", "classes") == set(LABELS)
    assert enum("datasets", "*", "edition") == set(EDITIONS)


def test_the_networks_of_the_schema_are_those_of_the_code():
    from lighthouse.config.option_checks import STUDENT_KEYS
    from lighthouse.students.networks import NETWORKS

    assert enum("students", "*", "network") == set(NETWORKS) == set(STUDENT_KEYS)


def test_the_semantics_of_the_schema_are_those_of_the_code():
    from lighthouse.diffusion.guided import SEMANTICS

    assert enum("datasets", "*", "sampler", "semantics") == set(SEMANTICS)


def test_the_words_of_a_protocol_in_the_schema_are_those_of_the_checks():
    from lighthouse.config.option_checks import LABEL_KEYS, SCHEDULE_KEYS

    assert enum("protocols", "*", "labels") == set(LABEL_KEYS)
    assert enum("protocols", "*", "schedule", "kind") == set(SCHEDULE_KEYS)


def test_the_couplings_of_a_term_are_those_of_the_code():
    from lighthouse.couplings import COUPLINGS
    from lighthouse.parts.terms import TERMS

    for term in TERMS.values():
        assert term.couplings
        assert set(term.couplings) <= set(COUPLINGS)


def test_the_columns_that_a_hyperparameter_table_must_have_are_columns():
    schema = load_schema(SCHEMAS / "hyperparameters.schema.yaml")
    assert set(schema["required"]) <= set(schema["x-columns"]) <= set(schema["properties"])


# The README of the config: every key, with its range.

README = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
KEYS = Keys(SCHEMA)
#: Ranges of keys that hold keys, which have rows of their own.
GROUPS = {GROUP, f"{GROUP}, or `null`"}


def described():
    """Every key that a table of the README describes, by dotted place, with its range.

    A section's title names what its keys lie below, in backticks.
    """
    below, found = [], []
    for line in README.split("## Keys", 1)[1].splitlines():
        if line.startswith("#"):
            below = [f"{name}." for name in re.findall(r"`([^`]+)`", line)] or [""]
        elif line.startswith("| `") and line.split(" | ")[1] not in GROUPS:
            keys, allowed, _ = line.strip("|").split(" | ", 2)
            for key in re.findall(r"`([^`]+)`", keys):
                found += [(f"{place}{key}", allowed) for place in below]
    return found


def words_of_range(spec):
    """What a key's range must say, and all it may: words of an enum, bounds of a number."""
    spec = resolved(spec)
    for option in spec.get("oneOf", []):
        yield from words_of_range(option)
    yield from (f"`{'null' if word is None else word}`" for word in spec.get("enum", []))
    yield from (f"`{word}`" for word in [spec.get("const")] if word)
    yield from (
        "`null`" for kind in [spec.get("type")] if "null" in (kind or "") and kind != "null"
    )
    if "minimum" in spec and "maximum" in spec:
        yield f"{spec['minimum']:.15g}…{spec['maximum']:.15g}"
    else:
        signs = {"minimum": "≥", "maximum": "≤", "exclusiveMinimum": ">", "exclusiveMaximum": "<"}
        yield from (f"{sign} {spec[bound]:.15g}" for bound, sign in signs.items() if bound in spec)
    yield from (f"multiple of {spec[name]:g}" for name in ["multipleOf"] if name in spec)
    if "items" in spec:
        yield from words_of_range(spec["items"])


#: What a range of the README may hold.
NUMBER = r"-?\d[\d.]*(?:e-\d+)?"
RANGE = rf"`[^`]+`|{NUMBER}…{NUMBER}|[≥≤<>] {NUMBER}|multiple of \d+|\d+"


def differences(allowed, spec):
    """What of a key's range the README lacks, and what it has that the schema has not.

    Where the schema lists no words, those in backticks are names of other keys, or one of
    the texts that are allowed.
    """
    wanted, found = set(words_of_range(spec)), set(re.findall(RANGE, allowed))
    listed = [word for word in wanted - {"`null`"} if word.startswith("`")]
    further = {word for word in found - wanted if listed or not word.startswith("`")}
    return wanted - found | further


def test_the_tables_of_keys_are_those_of_the_schema():
    """``python -m lighthouse.config.key_tables`` writes them."""
    assert KEYS.renewed(README) == README


def test_the_readme_describes_every_key_of_the_config_once_and_no_other():
    keys = [key for key, _ in described()]
    assert sorted(keys) == sorted(place for place, _ in KEYS.leaves())


def test_the_readme_gives_the_range_of_every_key():
    allowed = dict(described())
    wrong = {place: differences(allowed.get(place, ""), spec) for place, spec in KEYS.leaves()}
    assert {place: words for place, words in wrong.items() if words} == {}


def test_the_readme_names_the_columns_of_both_tables():
    for name in ("methods", "hyperparameters"):
        text = README.split(f"## `{name}.tsv`", 1)[1].split("\n## ", 1)[0]
        columns = load_schema(SCHEMAS / f"{name}.schema.yaml")["properties"]
        assert [column for column in columns if f"`{column}`" not in text] == []
    words = load_schema(SCHEMAS / "methods.schema.yaml")["properties"]
    text = README.split("## `methods.tsv`", 1)[1].split("\n## ", 1)[0]
    for column in ("coreset", "coupling"):
        assert [word for word in words[column]["enum"] if f"`{word}`" not in text] == []


def test_the_readme_says_of_every_guidance_term_what_the_code_holds():
    from lighthouse.parts.terms import TERMS

    text = README.split("## Units of the guidance", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    assert [row[0].strip(" `") for row in rows] == list(TERMS)
    for term, column, couplings, grows, _ in rows:
        declared = TERMS[term.strip(" `")]
        assert column == f"`{declared.column}`"
        assert tuple(re.findall("`([^`]+)`", couplings)) == declared.couplings
        assert grows == ("× D / 4096" if declared.grows else "as given")


def test_the_readme_gives_the_range_of_every_hyperparameter():
    text = README.split("## `hyperparameters.tsv`", 1)[1].split("\n## ", 1)[0]
    rows = [line.strip("|").split(" | ") for line in text.splitlines() if line.startswith("| `")]
    allowed = {name: words for keys, words, _ in rows for name in re.findall("`([^`]+)`", keys)}
    columns = load_schema(SCHEMAS / "hyperparameters.schema.yaml")["properties"]
    assert list(allowed) == list(columns)
    # Dataset and IPC share a row.
    shared = allowed.pop("dataset")
    assert allowed.pop("ipc") == shared and not differences(shared, columns["ipc"])
    assert not any(differences(allowed[name], columns[name]) for name in allowed)


@pytest.mark.parametrize("key", ["datasets", "priors", "external", "students", "protocols"])
@pytest.mark.parametrize("name", ["..", "../x", "/x", "a/b", "x\n", "X", ""])
def test_what_becomes_part_of_a_path_has_a_name_s_letters(key, name):
    given = {**SHIPPED[key], name: next(iter(SHIPPED[key].values()), {})}
    assert any(repr(name) in line for line in check({**SHIPPED, key: given}, SCHEMA, "config"))
