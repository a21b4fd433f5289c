"""How methods look in figures: the same colour, mark and dash in each of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from matplotlib.lines import Line2D

#: Colours by family of methods, so that a reader tells families first and methods second.
FAMILIES = {
    "real images": ("#000000", "#8C8C8C"),
    "base prior": ("#CC79A7",),
    "methods of others": ("#D55E00", "#E69F00", "#9C3A00", "#F2C45A"),
    "RSM and CGS": ("#0072B2", "#56B4E9", "#009E73", "#004C77", "#7BC8A4"),
    "support points (ours)": ("#1B7837", "#A6559E", "#D01C8B", "#5B3A29"),
    "other sets": ("#7A5195", "#BC8FD0"),
}
MARKERS, DASHES = "osD^vPX<>*hp", ("-", "--", ":")


def family(method: Mapping) -> str:
    """The family of a row of the method table, by what it is composed of.

    ``of_others``: whether one of its parts is other authors' than RSM and CGS; ``ours``: whether
    one is of no source.
    """
    if method.get("coreset"):  # pieces of real images are none
        return "methods of others" if method.get("of_others") else "real images"
    if not method.get("prior"):
        return "other sets"
    if method["of_others"]:
        return "methods of others"
    if method["ours"]:
        return "support points (ours)"
    parts = method.get("guidance"), method.get("selection")
    bare = method["prior"] == "base" and not any(parts)
    return "base prior" if bare else "RSM and CGS"


@dataclass(frozen=True)
class Look:
    """How a method is drawn, the same in every panel."""

    family: str
    label: str
    colour: str
    marker: str
    dash: str

    def handle(self) -> Line2D:
        """The method in a legend."""
        return Line2D(
            [],
            [],
            color=self.colour,
            marker=self.marker,
            ls=self.dash,
            ms=5,
            lw=1.4,
            label=self.label,
        )


def looks(methods: Sequence[Mapping]) -> dict[str, Look]:
    """A look for each method, by name. methods: rows ``name``, ``label``, their
    parts, and whether one is ``of_others``, or ``ours``.

    Within a family colours come round again with the next dash; no two looks are alike.
    """
    seen = dict.fromkeys(FAMILIES, 0)
    made = {}
    for method in methods:
        name = family(method)
        colours, i = FAMILIES[name], seen[name]
        seen[name] += 1
        made[method["name"]] = Look(
            name,
            method["label"],
            colours[i % len(colours)],
            MARKERS[i % len(MARKERS)],
            DASHES[i // len(colours) % len(DASHES)],
        )
    return made
