"""What any config is made of, whatever its keys: words, finite numbers, lists and mappings."""

import math
from collections.abc import Iterable, Mapping

#: A config holds so many lists and mappings in one another, and so many values, at most.
LEVELS, VALUES = 20, 20_000
#: Digits of a whole number that any library takes.
DIGITS = 18
#: Letters of a word.
LETTERS = 2000
LINE_ENDS = ("U+000A", "U+000D")


def mistakes(data: object) -> list[str]:
    """A line for each value that no config has, whatever is asked of its keys; [] if there is none.

    With such a value a schema, which goes through everything, might not come to an end.
    """
    budget = iter(range(VALUES))
    found = list(_of(data, "", 0, budget))
    if next(budget, None) is None:
        return [f"holds more than {VALUES:,} values, as no study does"]
    return found


def _of(data: object, where: str, level: int, budget: Iterable[int]) -> Iterable[str]:
    if next(budget, None) is None:
        return
    lead = f"{where}: " if where else ""
    below = f"{where}." if where else ""
    if level > LEVELS:
        top = where.split(".")[0]
        yield f"{top}: holds more than {LEVELS} levels of lists and mappings, as no study does"
    elif isinstance(data, Mapping):
        for key, value in data.items():
            if not isinstance(key, str):
                yield f"{lead}key {key!r} is no word; allowed: words (one in quotes is one)"
            elif problem := _of_words(key):
                yield f"{lead}key {key[:40]!r} {problem}"
            else:
                yield from _of(value, f"{below}{key}", level + 1, budget)
    elif isinstance(data, list):
        for number, value in enumerate(data):
            yield from _of(value, f"{below}{number}", level + 1, budget)
    elif problem := _of_value(data):
        yield lead + problem


def _of_value(data: object) -> str:
    """What is wrong with a single value; empty if nothing is."""
    match data:
        case None | bool():
            return ""
        case str():
            problem = _of_words(data)
            return problem and f"{data[:40]!r} {problem}"
        case int() if abs(data) >= 10**DIGITS:
            return f"is a number of more than {DIGITS} digits"
        case float() if not math.isfinite(data):
            return f"{data} is not a finite number"
        case int() | float():
            return ""
    return f"is a {type(data).__name__}; allowed: words, numbers, true, false and null"


def _of_words(text: str) -> str:
    """What is wrong with a text, in words that follow it; empty if nothing is."""
    if len(text) > LETTERS:
        return f"begins a text of {len(text)} letters; allowed: at most {LETTERS}"
    if odd := unseen(text):
        what = "a line break" if odd in LINE_ENDS else f"the character {odd}, which is not seen"
        return f"has {what}; allowed: words in one line"
    return ""


def unseen(text: str) -> str:
    """The number of the first character that cannot be seen, as U+000A; empty if there is none."""
    odd = next((letter for letter in text if not letter.isprintable()), None)
    return "" if odd is None else f"U+{ord(odd):04X}"
