"""Validation against JSON schemas, with one line a mistake: where, what, what is allowed."""

import csv
import math
import re
from collections.abc import Iterable
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError


class ConfigError(Exception):
    """Wrong input. The message has one line a mistake."""

    def __init__(self, problems: Iterable[str]):
        self.problems = list(problems)
        super().__init__("\n".join(["wrong configuration:", *(f"  - {p}" for p in self.problems)]))


def load_schema(path: Path) -> dict:
    """Read a JSON schema written in YAML."""
    return yaml.safe_load(path.read_text(encoding="utf-8"))


def check(data: object, schema: dict, place: str) -> list[str]:
    """Return one line for each way in which ``data`` breaks ``schema``; [] if none.

    ``place`` names what is checked (a file, a table's row) and leads each line.
    """
    errors = sorted(Draft202012Validator(schema).iter_errors(data), key=lambda e: list(e.path))
    return [f"{place}: {line}" for error in errors for line in _explain(error)]


def _explain(error: ValidationError) -> list[str]:
    where = ".".join(str(part) for part in error.absolute_path)
    lead = f"{where}: " if where else ""
    allowed = error.schema.get("properties", {}) if isinstance(error.schema, dict) else {}
    match error.validator:
        case "additionalProperties" if allowed:
            unknown = sorted(set(error.instance) - set(allowed))
            return [
                f"{lead}unknown key {name!r}; allowed: {', '.join(allowed)}" for name in unknown
            ]
        case "required":
            missing = next(n for n in error.validator_value if f"'{n}'" in error.message)
            about = allowed.get(missing, {}).get("description", "")
            return [f"{lead}{missing!r} is missing" + (f" ({about})" if about else "")]
        case "enum":
            names = ", ".join(map(str, error.validator_value))
            return [f"{lead}{error.instance!r} is not known; allowed: {names}"]
        case "oneOf" | "anyOf" | "not" if isinstance(error.instance, dict):
            return [f"{lead}a row is either a coreset, or a prior with a coupling; not both"]
        case "oneOf":
            options = " or ".join(_describe(option) for option in error.validator_value)
            return [f"{lead}{error.instance!r} is not allowed; allowed: {options}"]
        case "type":
            return [
                f"{lead}{error.instance!r} is not of type {error.validator_value}" + _hint(error)
            ]
        case "pattern":
            return [f"{lead}{error.instance!r} does not match {error.validator_value}"]
    return [f"{lead}{error.message}" + _hint(error)]


def _describe(option: dict) -> str:
    if "const" in option:
        return repr(option["const"])
    return "a number of at least 0"


def _hint(error: ValidationError) -> str:
    """YAML reads ``1e-3`` as a word: say so; else add what the schema says of the key."""
    if error.validator == "type" and re.fullmatch(r"\d+[eE][+-]?\d+", str(error.instance)):
        mantissa, exponent = str(error.instance).lower().split("e")
        return f" (YAML reads it as a word; write {mantissa}.0e{exponent})"
    about = error.schema.get("description", "") if isinstance(error.schema, dict) else ""
    return f" ({about})" if about else ""


def read_table(path: Path, schema: dict) -> tuple[list[dict], list[str]]:
    """Read a tab-separated table, its columns typed by ``schema``.

    Empty fields are left out of a row. Returns the rows and one line for each
    mistake in them, with the file's name and the line number.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        return [], [f"{path}: cannot be read ({error.strerror})"]
    kinds = {name: spec.get("type") for name, spec in schema["properties"].items()}
    rows, problems = [], []
    reader = csv.DictReader(text.splitlines(), delimiter="\t")
    for raw in reader:
        number = reader.line_num
        row = {}
        for name, field in raw.items():
            if name is None:
                problems.append(f"{path}, line {number}: more fields than columns")
            elif field:
                row[name] = _typed(field, kinds.get(name))
        problems += check(row, schema, f"{path}, line {number}")
        rows.append(row)
    return rows, problems


def _typed(field: str, kind: str | None) -> object:
    if kind in ("integer", "number"):
        try:
            number = int(field) if kind == "integer" else float(field)
            return number if math.isfinite(number) else field
        except ValueError:
            return field
    return field
