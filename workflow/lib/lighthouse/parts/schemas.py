"""What the declared parts add to the schemas of config and tables."""

from collections.abc import Callable, Mapping

from lighthouse.parts.coresets import CORESETS, WITH_OPTIONS, Coreset
from lighthouse.parts.extractors import EXTRACTORS
from lighthouse.parts.measures import MEASURES
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.parts.selections import SELECTIONS, Selection
from lighthouse.parts.sweeps import SAMPLER
from lighthouse.parts.terms import TERMS, Term


def completed(schema: object) -> object:
    """A schema with what ``x-parts`` in it ask for: a key of ``ADDED`` each, or several.

    Properties are added behind those that are there.
    """
    if isinstance(schema, list):
        return [completed(item) for item in schema]
    if not isinstance(schema, Mapping):
        return schema
    made = {key: completed(value) for key, value in schema.items() if key != "x-parts"}
    for name in schema.get("x-parts", ()):
        added = ADDED[name]()
        if "properties" in added:
            added["properties"] = {**made.get("properties", {}), **added["properties"]}
        made |= added
    return made


def _options_of(parts: Mapping[str, Term | Coreset | Selection]) -> dict:
    """The options of each of some parts, below its name."""
    return {
        "properties": {
            name: {
                "description": part.what,
                "type": "object",
                "additionalProperties": False,
                "properties": {key: option.schema for key, option in part.options.items()},
            }
            for name, part in parts.items()
        }
    }


def _weights() -> dict:
    return {"properties": {term.column: term.weight.schema for term in TERMS.values()}}


def _sampler() -> dict:
    return {"properties": {key: option.schema for key, option in SAMPLER.items()}}


def _objective_options() -> dict:
    return {
        "properties": {
            key: _or_table(option.schema) if key in objective.from_table else option.schema
            for objective in OBJECTIVES.values()
            for key, option in objective.options.items()
        }
    }


def _or_table(schema: Mapping) -> dict:
    """A number, or the word ``table``."""
    number = {key: value for key, value in schema.items() if key != "description"}
    return {"description": schema["description"], "oneOf": [number, {"const": "table"}]}


def _extractor_options() -> dict:
    return {
        "properties": {
            key: option.schema
            for extractor in EXTRACTORS.values()
            for key, option in extractor.options.items()
        }
    }


#: What a schema may ask for, by name.
ADDED: dict[str, Callable[[], dict]] = {
    "guidance": lambda: _options_of(TERMS),
    "selection-options": lambda: _options_of(SELECTIONS),
    "selections": lambda: {"enum": list(SELECTIONS)},
    "weights": _weights,
    "sampler": _sampler,
    "objectives": lambda: {"enum": list(OBJECTIVES)},
    "objective-options": _objective_options,
    "extractors": lambda: {"enum": list(EXTRACTORS)},
    "extractor-options": _extractor_options,
    "measures": lambda: {"enum": list(MEASURES)},
    "coresets": lambda: {"enum": list(CORESETS)},
    "coreset-options": lambda: _options_of(WITH_OPTIONS),
}
