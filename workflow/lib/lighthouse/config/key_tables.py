"""The tables of keys in config/README.md, made of the schema of the config.

    uv run python -m lighthouse.config.key_tables

A table stands between two comments, the first of which names what its keys lie below:
``<!-- keys of: run.tuning -->``. One of no place has all keys that no other table has, so that a
new key is in the page without an edit here. Of a key the schema says

- what it is, in its ``description`` and, beyond that, ``x-more``;
- its range, by bounds, words and types; ``x-range`` has other words, with {} for that range.
"""

import argparse
import re
from collections.abc import Iterator, Mapping, Sequence

from lighthouse.config.paths import REPOSITORY
from lighthouse.config.schema import load_schema
from lighthouse.runtime.files import whole

README = REPOSITORY / "config" / "README.md"
SCHEMA = REPOSITORY / "workflow" / "schemas" / "config.schema.yaml"
#: What a table stands between. The first line names what its keys lie below.
BLOCK = re.compile(r"<!-- keys of:(?P<below>.*?)-->\n.*?<!-- end of keys -->", re.S)
HEAD = "| key | range | what |\n|---|---|---|"
#: Signs of the bounds of a number that has not both a least and a largest value.
SIGNS = {"exclusiveMinimum": ">", "minimum": "≥", "exclusiveMaximum": "<", "maximum": "≤"}
COUNTS = {2: "two", 3: "three"}
#: The range of a key that holds keys.
GROUP = "keys"


class Keys:
    """The keys of a schema: their places, ranges and tables."""

    def __init__(self, schema: Mapping):
        self.schema = schema

    def resolved(self, spec: Mapping) -> dict:
        """A key's schema with its reference merged in: keys and required keys of both."""
        if "$ref" not in spec:
            return dict(spec)
        target = self.schema["$defs"][spec["$ref"].rsplit("/", 1)[1]]
        required = [*target.get("required", []), *spec.get("required", [])]
        return {**target, **spec, "required": required}

    def leaves(self, spec: Mapping | None = None, place: str = "") -> Iterator[tuple[str, dict]]:
        """Every key that holds no keys of its own, by dotted place, in the schema's order.

        ``<name>`` stands for a name that a config gives, and ``[]`` for an entry of a list.
        """
        return ((place, found) for place, found in self._walk(spec, place) if not _holds(found))

    def _walk(self, spec: Mapping | None = None, place: str = "") -> Iterator[tuple[str, dict]]:
        """The same, and before the keys of a group that may be null the group."""
        spec = self.resolved(self.schema if spec is None else spec)
        for option in spec.get("anyOf", []):
            if "$ref" in option:  # the other is null
                own = {key: value for key, value in spec.items() if key != "anyOf"}
                spec = {**self.resolved({**option, **own}), "type": ["object", "null"]}
        nested = {f".{name}": inner for name, inner in spec.get("properties", {}).items()}
        if isinstance(spec.get("additionalProperties"), dict):
            nested[".<name>"] = spec["additionalProperties"]
        if "properties" in spec.get("items", {}):
            nested["[]"] = spec["items"]
        if not nested or "null" in _kinds(spec):
            yield place.removeprefix("."), spec
        for name, inner in nested.items():
            yield from self._walk(inner, f"{place}{name}")

    def range(self, spec: Mapping) -> str:
        """What a key may be, in words: ``1…100, or `null```."""
        spec = self.resolved(spec)
        own = self._bounds(spec)
        words = spec.get("x-range", "{}").replace("{}", own)
        null = "null" in _kinds(spec) and "`null`" not in words
        return f"{words}, or `null`" if null else words

    def _bounds(self, spec: Mapping) -> str:
        if _holds(spec):
            return GROUP
        if "enum" in spec:
            words = [f"`{word}`" for word in spec["enum"] if word is not None]
            return ", ".join(words) + ", or `null`" * (None in spec["enum"])
        if "const" in spec:
            return f"`{spec['const']}`"
        if "oneOf" in spec:
            return ", or ".join(map(self.range, spec["oneOf"]))
        kinds = set(_kinds(spec))
        if kinds & {"integer", "number"}:
            step = f"a multiple of {spec['multipleOf']:g}, " if "multipleOf" in spec else ""
            return step + _between(spec)
        if "array" in kinds:
            return self._list(spec)
        return "true, false" if "boolean" in kinds else spec.get("x-pattern", "a text")

    def _list(self, spec: Mapping) -> str:
        items = self.resolved(spec.get("items", {}))
        least, most = spec.get("minItems", 0), spec.get("maxItems")
        if least == most and least in COUNTS:
            return f"{COUNTS[least]} of {self.range(items)}"
        integers = _kinds(items) == ["integer"] and least < 2
        words = "integers " if integers else "two or more, each " if least == 2 else "each "
        return words + self.range(items)

    def table(self, below: Sequence[str], others: Sequence[str] = ()) -> str:
        """The table of all keys below some places; ``[""]`` is the whole config.

        others: places with a table of their own. A key that is alike below several of the places
        is one row.
        """
        rows = {}
        for place, spec in self._walk():
            within = [name for name in (*below, *others) if _lies_below(place, name)]
            found = max(within, key=len, default=None)
            if found in below:
                key = place.removeprefix(found).removeprefix(".")
                rows[f"| `{key}` | {self.range(spec)} | {_what(spec)} |"] = None
        return "\n".join([HEAD, *rows])

    def renewed(self, page: str) -> str:
        """A page with its tables made again."""
        places = [name for found in BLOCK.finditer(page) for name in _places(found)]

        def made(found: re.Match) -> str:
            below = _places(found)
            others = [name for name in places if name not in below]
            head = f"<!-- keys of:{found['below']}-->"
            return f"{head}\n{self.table(below, others)}\n<!-- end of keys -->"

        return BLOCK.sub(made, page)


def _places(found: re.Match) -> list[str]:
    return found["below"].split() or [""]


def _kinds(spec: Mapping) -> list[str]:
    kinds = spec.get("type", [])
    return [kinds] if isinstance(kinds, str) else kinds


def _between(spec: Mapping) -> str:
    if "minimum" in spec and "maximum" in spec:
        return f"{spec['minimum']:.15g}…{spec['maximum']:.15g}"
    return ", ".join(f"{sign} {spec[key]:.15g}" for key, sign in SIGNS.items() if key in spec)


def _holds(spec: Mapping) -> bool:
    """Whether a key holds named keys, or a list of such."""
    return "properties" in spec or "properties" in spec.get("items", {})


def _lies_below(place: str, name: str) -> bool:
    return not name or place.startswith((f"{name}.", f"{name}["))


def _what(spec: Mapping) -> str:
    text = " ".join(spec[key] for key in ("description", "x-more") if key in spec)
    # Outside of backticks, where Markdown would take both for its own.
    plain = re.compile(r"(`[^`]*`)|<")
    return plain.sub(lambda found: found[1] or r"\<", text).replace("|", r"\|")


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the tables anew; without arguments."""
    argparse.ArgumentParser(description=__doc__.split("\n")[0]).parse_args(arguments)
    page = README.read_text(encoding="utf-8")
    with whole(README) as beside:
        beside.write_text(Keys(load_schema(SCHEMA)).renewed(page), encoding="utf-8")


if __name__ == "__main__":
    main()
