"""The page of all wrong inputs: ``uv run python tests/helpers/wrong_page.py``."""

from repository import ROOT
from wrong import LISTS, entries, lines

HEAD = """# Wrong inputs, and what is said of each

Each line is a test: the input is made, given to the program, and the message compared word by word
(`tests/wrong_inputs`, from which this page is written). `DIR` is the folder of the input, `ROOT`
the repository. A mistake that can be seen before a job starts is told then."""


def page() -> str:
    """The page's text."""
    parts = [HEAD]
    for kind in LISTS:
        found = entries(kind)
        parts += [f"## {kind.capitalize()} ({len(found)})", "| input | message |\n|---|---|"]
        parts[-1] = "\n".join([parts[-1], *map(_row, found)])
    return "\n\n".join(parts) + "\n"


def _row(entry: dict) -> str:
    told = "<br>".join(map(_code, lines(entry["says"])))
    return f"| {_cell(entry['input'])} | {told} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(line: str) -> str:
    fence = "``" if "`" in line else "`"
    return f"{fence}{_cell(line)}{fence}"


if __name__ == "__main__":
    path = ROOT / "docs" / "wrong-inputs.md"
    path.write_text(page(), encoding="utf-8")
    print(f"{path.relative_to(ROOT)}: {sum(len(entries(kind)) for kind in LISTS)} inputs")
