"""Validation against JSON schemas, with one line a mistake: where, what, what is allowed."""

import math
import re
from collections.abc import Iterable
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from lighthouse.parts.schemas import completed


class ConfigError(Exception):
    """Wrong input. The message has one line a mistake."""

    def __init__(self, problems: Iterable[str]):
        self.problems = list(problems)
        super().__init__("\n".join(["wrong configuration:", *(f"  - {p}" for p in self.problems)]))


def load_schema(path: Path) -> dict:
    """Read a JSON schema written in YAML, with what the declared parts add to it."""
    return completed(yaml.safe_load(path.read_text(encoding="utf-8")))


def check(data: object, schema: dict, place: str) -> list[str]:
    """Return one line for each way in which ``data`` breaks ``schema``; [] if none.

    ``place`` names what is checked (a file, a table's row) and leads each line.
    NaN and infinity are refused everywhere.
    """
    errors = sorted(Validator(schema).iter_errors(data), key=lambda e: list(map(str, e.path)))
    lines = [line for error in errors for line in _explain(error)]
    return [f"{place}: {line}" for line in lines + list(_not_finite(data))]


def _whole_pattern(validator: object, pattern: str, given: object, schema: dict) -> Iterable:
    """``pattern`` of a JSON schema, of the whole word: ``$`` also matches before a last newline."""
    if isinstance(given, str) and not re.fullmatch(pattern, given):
        yield ValidationError(f"{given!r} does not match {pattern!r}")


Validator = extend(Draft202012Validator, {"pattern": _whole_pattern})


def _not_finite(data: object, where: str = "") -> Iterable[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _not_finite(value, f"{where}{key}.")
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _not_finite(value, f"{where}{number}.")
    elif isinstance(data, float) and not math.isfinite(data):
        yield f"{where[:-1]}: {data} is not a finite number"


def _explain(error: ValidationError) -> list[str]:
    """One mistake in one line (several, for several unknown keys): where, what, what is allowed."""
    where = ".".join(str(part) for part in error.absolute_path)
    lead = f"{where}: " if where else ""
    allowed = error.schema.get("properties", {})
    about = error.schema.get("description", "")
    about = f" ({about.rstrip('.')})" if about else ""
    match error.validator:
        case "additionalProperties" if allowed:
            unknown = sorted(set(error.instance) - set(allowed))
            return [
                f"{lead}unknown key {name!r}; allowed: {', '.join(allowed)}" for name in unknown
            ]
        case "required":
            missing = next(n for n in error.validator_value if f"'{n}'" in error.message)
            what = allowed.get(missing, {}).get("description", "").rstrip(".")
            return [f"{lead}{missing!r} is missing" + (f" ({what})" if what else "")]
        case "dependentRequired":
            return [
                f"{lead}{name!r} is missing (a row with {given!r} needs it)"
                for given, names in error.validator_value.items()
                for name in names
                if given in error.instance and name not in error.instance
            ]
        case "enum":
            names = ", ".join(map(str, error.validator_value))
            return [f"{lead}{error.instance!r} is not known; allowed: {names}"]
        case "anyOf":  # null, or a mapping: the mistakes of the mapping
            return [
                line
                for inner in error.context
                if inner.absolute_path != error.absolute_path or inner.validator != "type"
                for line in _explain(inner)
            ]
        case "oneOf" if "x-message" in error.schema:
            return [lead + error.schema["x-message"]]
        case "oneOf":
            options = " or ".join(map(_alternative, error.validator_value))
            hint = _exponent_hint(error.instance)
            return [f"{lead}{error.instance!r} is not allowed; allowed: {options}{hint}"]
        case "type":
            hint = _exponent_hint(error.instance) or about
            return [f"{lead}{error.instance!r} is not of type {error.validator_value}{hint}"]
        case "pattern":
            kind = error.schema.get("x-kind", "a name")
            return [f"{lead}{error.instance!r} is not {kind}; allowed: {_pattern_words(error)}"]
        case "minItems" | "maxItems":
            n = error.validator_value
            limit = "at least " if error.validator == "minItems" else "at most "
            if error.schema.get("minItems") == error.schema.get("maxItems"):
                limit = ""
            return [
                f"{lead}{error.instance!r} has {len(error.instance)} entries; "
                f"allowed: {limit}{n}{about}"
            ]
    return [f"{lead}{error.message}{about}"]


def _alternative(option: dict) -> str:
    """One of several things that a value may be: a word, or a number."""
    if "const" in option:
        return repr(option["const"])
    above = option.get("$ref", "").endswith("/rate")
    return "a number above 0" if above else "a number of at least 0"


def _exponent_hint(value: object) -> str:
    """YAML reads ``1e-3`` as a word: say so."""
    if isinstance(value, str) and re.fullmatch(r"\d+[eE][+-]?\d+", value):
        mantissa, exponent = value.lower().split("e")
        return f" (YAML reads it as a word; write {mantissa}.0e{exponent})"
    return ""


def _pattern_words(error: ValidationError) -> str:
    return error.schema.get("x-pattern", error.validator_value)
