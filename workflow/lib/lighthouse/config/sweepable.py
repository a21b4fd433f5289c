"""The numbers of a method that a sweep can move, by the names that a variant has for them."""

from functools import cache
from pathlib import Path

from lighthouse.config.schema import load_schema
from lighthouse.config.study import Study
from lighthouse.units import TERM_WEIGHTS

#: Of the sampler; its other numbers say how work is divided.
SAMPLER = ("steps", "guidance_scale")


def sweepable(study: Study, method: str) -> dict[str, dict]:
    """A JSON schema of each number's values, by name.

    ``lambda``, ``learning_rate`` and the columns of terms' weights are of the hyperparameter
    table; ``<term>.<option>``, ``<objective>.<option>`` and ``sampler.<option>`` of the config.
    Only what the method reads.
    """
    schemas = study.base / "workflow" / "schemas"
    config = _schema(schemas / "config.schema.yaml")
    columns = _schema(schemas / "hyperparameters.schema.yaml")["properties"]
    composed = study.methods[method]
    if not composed.prior:
        return {}
    found = {name: columns[name] for name in hyperparameters(study, method)}
    of_terms = config["properties"]["guidance"]["properties"]
    parts = {term: of_terms[term]["properties"] for term in composed.guidance}
    spec = study.config["priors"][composed.prior]
    given = config["properties"]["priors"]["additionalProperties"]["properties"]
    if "lambda" in spec:
        found["lambda"] = columns["lambda"]
    else:
        parts[spec["objective"]] = {key: given[key] for key in spec if key != "objective"}
    dataset = config["properties"]["datasets"]["additionalProperties"]["properties"]
    sampler = dataset["sampler"]["properties"]
    parts["sampler"] = {name: sampler[name] for name in SAMPLER}
    for part, options in parts.items():
        for option, schema in options.items():
            whole = _resolved(schema, config["$defs"])
            if whole.get("type") in ("number", "integer"):
                found[f"{part}.{option}"] = whole
    return found


def hyperparameters(study: Study, method: str) -> list[str]:
    """The columns of the hyperparameter table that a method reads."""
    composed = study.methods[method]
    spec = study.config["priors"].get(composed.prior, {"objective": "plain"})
    tuned = [] if spec["objective"] == "plain" else ["learning_rate"]
    weighed = ["lambda"] if spec.get("lambda") == "table" else []
    return weighed + tuned + [TERM_WEIGHTS[term].column for term in composed.guidance]


def _resolved(schema: dict, definitions: dict) -> dict:
    """A schema with what its reference names."""
    name = schema.get("$ref", "").removeprefix("#/$defs/")
    if not name:
        return schema
    return {**definitions[name], **{key: schema[key] for key in schema if key != "$ref"}}


@cache
def _schema(path: Path) -> dict:
    return load_schema(path)
