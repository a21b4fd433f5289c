"""Validation against JSON schemas, with one line a mistake: where, what, what is allowed."""

import json
import math
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from jsonschema.validators import extend

from lighthouse.parts.schemas import completed

#: Letters of a line, and of a value in it: more are left out in the middle.
LINE, QUOTED = 1000, 100
#: Mistakes that are told at once.
SHOWN = 50


class ConfigError(Exception):
    """Wrong input. The message has one line a mistake, of many the first."""

    def __init__(self, problems: Iterable[str]):
        self.problems = list(problems)
        told, more = self.problems[:SHOWN], len(self.problems[SHOWN:])
        told += [f"and {more} mistakes more"] if more else []
        super().__init__("\n".join(["wrong configuration:", *(f"  - {line}" for line in told)]))


def load_schema(path: Path) -> dict:
    """Read a JSON schema written in YAML, with what the declared parts add to it."""
    return completed(yaml.load(path.read_text(encoding="utf-8"), yaml.CSafeLoader))


def check(
    data: object,
    schema: dict,
    place: str,
    hint: Callable[[object, Iterable[str]], str] | None = None,
) -> list[str]:
    """Return one line for each way in which ``data`` breaks ``schema``; [] if none.

    ``place`` names what is checked (a file, a table's row) and leads each line.
    NaN and infinity are refused everywhere. ``hint`` says of a value that is of none of some
    kinds how else to write it (as YAML unless given).
    """
    hint = hint or _number_hint
    errors = sorted(Validator(schema).iter_errors(data), key=lambda e: list(map(str, e.path)))
    lines = [line for error in errors for line in _explain(error, hint)]
    lines += _not_finite(data)
    return list(dict.fromkeys(shortened(f"{place}: {line}") for line in lines))


def shortened(text: str, most: int = LINE) -> str:
    """A text of at most ``most`` letters, with … for what is left out."""
    if len(text) <= most:
        return text
    return f"{text[: most * 2 // 3]} … {text[3 - most // 3 :]}"


def _quoted(value: object) -> str:
    """A value as a line tells it: shortened, and true, false and null as a config has them."""
    alone = value is None or isinstance(value, bool)
    return json.dumps(value) if alone else shortened(repr(value), QUOTED)


def _whole_pattern(validator: object, pattern: str, given: object, schema: dict) -> Iterable:
    """``pattern`` of a JSON schema, of the whole word: ``$`` also matches before a last newline."""
    if isinstance(given, str) and not re.fullmatch(pattern, given):
        yield ValidationError(f"{given!r} does not match {pattern!r}")


#: 1.0 is no integer: a seed names random numbers and files by its digits.
Validator = extend(
    Draft202012Validator,
    {"pattern": _whole_pattern},
    type_checker=Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


def _not_finite(data: object, where: str = "") -> Iterable[str]:
    if isinstance(data, dict):
        for key, value in data.items():
            yield from _not_finite(value, f"{where}{key}.")
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _not_finite(value, f"{where}{number}.")
    elif isinstance(data, float) and not math.isfinite(data):
        yield f"{where[:-1]}: {data} is not a finite number"


def _explain(error: ValidationError, hint: Callable) -> list[str]:
    """One mistake in one line (several, for several unknown keys): where, what, what is allowed."""
    where = ".".join(str(part) for part in error.absolute_path)
    lead = f"{where}: " if where else ""
    allowed = error.schema.get("properties", {})
    about = error.schema.get("description", "")
    about = f" ({about.rstrip('.')})" if about else ""
    given = _quoted(error.instance)
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
                f"{lead}{name!r} is missing (a row with {key!r} needs it)"
                for key, names in error.validator_value.items()
                for name in names
                if key in error.instance and name not in error.instance
            ]
        case "enum":
            names = ", ".join("null" if n is None else str(n) for n in error.validator_value)
            return [f"{lead}{given} is not known; allowed: {names}"]
        case "anyOf" if isinstance(error.instance, dict):  # null, or a mapping: its mistakes
            return [
                line
                for inner in error.context
                if inner.absolute_path != error.absolute_path or inner.validator != "type"
                for line in _explain(inner, hint)
            ]
        case "anyOf":
            return [f"{lead}{given} is not allowed; allowed: null, or keys{about}"]
        case "oneOf" if "x-message" in error.schema:
            return [lead + error.schema["x-message"]]
        case "oneOf":
            options = " or ".join(map(_alternative, error.validator_value))
            advice = hint(error.instance, ["number"])
            return [f"{lead}{given} is not allowed; allowed: {options}{advice}"]
        case "type":
            kinds = error.validator_value
            kinds = [kinds] if isinstance(kinds, str) else kinds
            advice = hint(error.instance, kinds) or about
            return [f"{lead}{given} is not of type {' or '.join(kinds)}{advice}"]
        case "pattern":
            kind = error.schema.get("x-kind", "a name")
            return [f"{lead}{given} is not {kind}; allowed: {_pattern_words(error)}"]
        case "minLength" | "maxLength":
            limit = "least" if error.validator == "minLength" else "most"
            return [
                f"{lead}{given} has {len(error.instance)} letters; "
                f"allowed: at {limit} {error.validator_value}"
            ]
        case "uniqueItems":
            twice = next(v for i, v in enumerate(error.instance) if v in error.instance[:i])
            return [f"{lead}{_quoted(twice)} is given twice; allowed: each once{about}"]
        case "minItems" | "maxItems":
            n = error.validator_value
            limit = "at least " if error.validator == "minItems" else "at most "
            if error.schema.get("minItems") == error.schema.get("maxItems"):
                limit = ""
            return [f"{lead}{given} has {len(error.instance)} entries; allowed: {limit}{n}{about}"]
    message = error.message.replace(repr(error.instance), given, 1)
    return [f"{lead}{message}{about}"]


def _alternative(option: dict) -> str:
    """One of several things that a value may be: a word, or a number between two bounds."""
    if "const" in option:
        return repr(option["const"])
    return f"a number from {option['minimum']:.15g} to {option['maximum']:.15g}"


def _number_hint(value: object, kinds: Iterable[str]) -> str:
    """How to write a number that is none of the ``kinds`` as it is written: ``1e-3`` is a word."""
    whole = "integer" in kinds and "number" not in kinds
    if isinstance(value, float) and whole and value.is_integer():
        return f" (write {value:.0f})"
    if not isinstance(value, str) or not {"integer", "number"} & set(kinds):
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    if not math.isfinite(number) or (whole and not number.is_integer()):
        return ""
    read = yaml.safe_load(value) if len(value) < QUOTED else value
    if read == number and (isinstance(read, int) or not whole):
        return " (a word, as in quotes; write the number without)"
    return f" (YAML reads it as a word; write {_spelled(value, number, whole)})"


def _spelled(word: str, number: float, whole: bool) -> str:
    """A number as YAML reads it, which asks for a point, and for a sign in front of an exponent."""
    if whole:
        return f"{number:.0f}"
    mantissa, _, exponent = f"{number:.17g}".partition("e")
    given = re.fullmatch(r"([-+]?\d+\.?\d*)[eE]([-+]?\d+)", word)
    mantissa, exponent = given.groups() if given else (mantissa, exponent or "+0")
    point = "" if "." in mantissa else ".0"
    sign = "" if exponent[0] in "+-" else "+"
    return f"{mantissa}{point}e{sign}{exponent}"


def _pattern_words(error: ValidationError) -> str:
    return error.schema.get("x-pattern", error.validator_value)
