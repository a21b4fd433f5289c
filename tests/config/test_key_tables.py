"""The tables of keys, of a schema whose table is known."""

import pytest

from lighthouse.config.key_tables import HEAD, Keys

COUNT = {"type": "integer", "minimum": 1, "maximum": 9, "description": "How many."}
SCHEMA = {
    "$defs": {"count": COUNT},
    "properties": {
        "run": {
            "type": "object",
            "properties": {
                "count": {"$ref": "#/$defs/count", "x-more": "No more."},
                "check": {
                    "description": "A check.",
                    "type": ["object", "null"],
                    "properties": {"share": {"type": "number", "minimum": 0, "description": "S."}},
                },
            },
        },
        "sets": {
            "additionalProperties": {
                "type": "object",
                "properties": {"root": {"type": "string", "description": "Of `<x>`, a|b <y>."}},
            }
        },
    },
}
PAGE = "a\n<!-- keys of: {} -->\nold\n<!-- end of keys -->\nb\n"


def rows(page):
    return [line for line in page.splitlines() if line.startswith("| `")]


def test_a_table_has_the_keys_below_its_place():
    made = Keys(SCHEMA).renewed(PAGE.format("run"))
    assert made.startswith(f"a\n<!-- keys of: run -->\n{HEAD}\n| `count`")
    assert made.endswith("|\n<!-- end of keys -->\nb\n")
    assert rows(made) == [
        "| `count` | 1…9 | How many. No more. |",
        "| `check` | keys, or `null` | A check. |",
        "| `check.share` | ≥ 0 | S. |",
    ]


def test_a_key_stands_in_the_table_of_the_longest_place_alone():
    made = Keys(SCHEMA).renewed(PAGE.format("run") + PAGE.format("run.check"))
    assert [row.split("`")[1] for row in rows(made)] == ["count", "check", "share"]


def test_the_table_of_no_place_has_what_no_other_has():
    made = Keys(SCHEMA).renewed(PAGE.format("") + PAGE.format("run"))
    assert [row.split("`")[1] for row in rows(made)] == [
        *("sets.<name>.root", "count", "check", "check.share")
    ]


def test_a_key_that_is_alike_at_two_places_is_one_row():
    two = {"properties": {"count": COUNT | {"x-more": "No more."}, "check": {"enum": ["a"]}}}
    schema = {**SCHEMA, "properties": {"one": SCHEMA["properties"]["run"], "two": two}}
    made = rows(Keys(schema).table(["one", "two"]))
    assert [row.split("`")[1] for row in made] == ["count", "check", "check.share", "check"]


def test_what_markdown_would_take_for_its_own_is_escaped():
    (row,) = rows(Keys(SCHEMA).table(["sets.<name>"]))
    assert row == "| `root` | a text | Of `<x>`, a\\|b \\<y>. |"


def test_a_page_that_is_made_again_is_the_same():
    once = Keys(SCHEMA).renewed(PAGE.format("run"))
    assert Keys(SCHEMA).renewed(once) == once


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (COUNT, "1…9"),
        ({**COUNT, "type": ["integer", "null"]}, "1…9, or `null`"),
        ({**COUNT, "multipleOf": 3}, "a multiple of 3, 1…9"),
        ({"type": "number", "exclusiveMinimum": 0, "maximum": 0.5}, "> 0, ≤ 0.5"),
        ({"type": "boolean"}, "true, false"),
        ({"enum": ["a", "b"]}, "`a`, `b`"),
        ({"enum": ["a", None]}, "`a`, or `null`"),
        ({"type": "string", "x-pattern": "six digits"}, "six digits"),
        ({"oneOf": [COUNT, {"const": "table"}]}, "1…9, or `table`"),
        ({"type": "array", "minItems": 1, "items": COUNT}, "integers 1…9"),
        ({"type": "array", "minItems": 2, "maxItems": 2, "items": COUNT}, "two of 1…9"),
        ({"type": "array", "minItems": 2, "items": COUNT}, "two or more, each 1…9"),
        ({**COUNT, "x-range": "{}, one of them"}, "1…9, one of them"),
        ({"type": ["string", "null"], "x-range": "a file"}, "a file, or `null`"),
        ({"type": ["string", "null"], "x-range": "`null` or a file"}, "`null` or a file"),
    ],
)
def test_the_words_of_a_range(spec, words):
    assert Keys(SCHEMA).range(spec) == words
