"""What a user may say of a part: an option, its range and its default."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

#: Ranges, as JSON schemas. Their upper bounds tell a slip of some zeros.
COUNT = {"type": "integer", "minimum": 1, "maximum": 1000000}
WEIGHT = {"type": "number", "minimum": 0, "maximum": 1000000}
RATE = {"type": "number", "minimum": 1e-12, "maximum": 1}


@dataclass(frozen=True)
class Option:
    """A key of a part in the config.

    range: a JSON schema. what: in a sentence. default: where the config leaves the key out;
    None where it must not. symbol: in figures, beside values; label: on an axis of it. Where
    they are empty the key's name stands for them. chosen: whether a config may give several
    values, of which one is chosen on the validation part.
    """

    range: Mapping
    what: str
    default: object = None
    symbol: str = ""
    label: str = ""
    chosen: bool = False

    @property
    def schema(self) -> dict:
        """The key's JSON schema."""
        own = {**self.range, "description": self.what}
        if self.chosen:  # bounds are of a number alone, ``items`` of a list
            own |= {"type": [own["type"], "array"], "minItems": 2, "items": self.range}
        return own

    @property
    def is_number(self) -> bool:
        """Whether values of it lie on an axis."""
        return self.range.get("type") in ("number", "integer")


class WithDefaults(Protocol):
    """A declared part, with its options where a config says nothing of them."""

    @property
    def defaults(self) -> Mapping[str, object]:
        """By key."""


def with_defaults(
    declared: Mapping[str, WithDefaults], given: Mapping[str, Mapping]
) -> dict[str, Mapping]:
    """A section of a config with what it leaves out: parts, and options of parts."""
    whole = {}
    for name, part in declared.items():
        own = given.get(name, {})
        whole[name] = {**part.defaults, **own} if isinstance(own, Mapping) else own
    return whole | {name: own for name, own in given.items() if name not in declared}
