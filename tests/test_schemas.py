"""Schemas, defaults and registries agree."""

import pytest

from lighthouse.config.schema import load_schema
from shipped import SCHEMA, SCHEMAS, SHIPPED


def properties(schema, place=""):
    """Every named key of a schema with its place."""
    for name, spec in schema.get("properties", {}).items():
        yield f"{place}{name}", spec
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
    if "$ref" not in schema:
        return schema
    target = SCHEMA["$defs"][schema["$ref"].rsplit("/", 1)[1]]
    required = [*target.get("required", []), *schema.get("required", [])]
    return {**target, **schema, "required": required}


def drift(config, schema, place="config"):
    """Where the shipped config lacks a key that the schema requires, or says one it does not name.

    What is required of some kinds only is not the schema's to say, but ``config.checks``'.
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
    assert list(drift(SHIPPED, SCHEMA)) == []


def enum(*path, schema="config"):
    """Allowed words of a key, by its path through the schema."""
    place = load_schema(SCHEMAS / f"{schema}.schema.yaml")
    for name in path:
        place = place["additionalProperties"] if name == "*" else place["properties"][name]
    return set(place["enum"])


def test_the_couplings_of_the_schema_are_those_of_the_code():
    from lighthouse.couplings import COUPLINGS

    assert enum("coupling", schema="methods") == set(COUPLINGS)


def test_the_coresets_of_the_schema_are_those_of_the_code():
    from lighthouse.coresets import CORESETS

    assert enum("coreset", schema="methods") == set(CORESETS)


def test_the_objectives_of_the_schema_are_those_of_the_code():
    from lighthouse.priors.objectives import OBJECTIVES

    assert enum("priors", "*", "objective") == set(OBJECTIVES)


def test_the_l1_weightings_of_the_schema_are_those_of_the_code():
    from lighthouse.priors.objectives import L1_WEIGHTINGS

    training = SCHEMA["$defs"]["training"]["properties"]
    assert set(training["l1_weighting"]["enum"]) == set(L1_WEIGHTINGS)


def test_the_sources_of_the_schema_are_those_of_the_code():
    from lighthouse.datasets.sources import SOURCES

    assert enum("datasets", "*", "source") == set(SOURCES)


def test_the_networks_of_the_schema_are_those_of_the_code():
    from lighthouse.students.networks import NETWORKS

    assert enum("students", "*", "network") == set(NETWORKS)


def test_every_guidance_term_has_a_column_in_the_hyperparameter_table():
    from lighthouse.units import TERM_WEIGHTS

    columns = load_schema(SCHEMAS / "hyperparameters.schema.yaml")["properties"]
    assert set(TERM_WEIGHTS.values()) <= set(columns)
