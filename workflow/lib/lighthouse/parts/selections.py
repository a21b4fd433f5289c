"""Selections of sampled images: one entry of ``SELECTIONS`` declares all that is known of one."""

from collections.abc import Mapping
from dataclasses import dataclass

from lighthouse.parts.option import WEIGHT, Option

#: How many times as many images may be sampled as are kept.
TIMES = {"type": "integer", "minimum": 2, "maximum": 1000}
#: What a selection that takes images one by one is held to: those of a joint or sequential set
#: were made to go together.
ALONE = ("iid",)
#: What loads the network that a selection looks with, by what it sees (``selection.pool.Look``).
FEATURES = "lighthouse.selection.looking:features_by"
LOGITS = "lighthouse.selection.looking:logits_by"


@dataclass(frozen=True)
class Selection:
    """How N images of a class are kept of more that are sampled.

    name: in the method table. choose: ``module:function``, a ``selection.pool.Selection``. what:
    in a sentence. times: the key of that option which says how many sets of N are sampled.
    options: by key of ``selections`` in the config. by_features: whether it goes by the
    extractor's features, those of the real images too. needs_classifier: whether it goes by the
    answers of a classifier that was trained on the real images. couplings: under which it makes
    sense. of_others: whether it is other authors' than RSM and CGS. ours: whether it is of no
    source.
    """

    name: str
    choose: str
    what: str
    times: str
    options: Mapping[str, Option]
    by_features: bool = False
    needs_classifier: bool = False
    couplings: tuple[str, ...] = ("iid", "sequential", "joint")
    of_others: bool = False
    ours: bool = False

    @property
    def defaults(self) -> dict[str, object]:
        """Its options where the config says nothing of them."""
        return {key: option.default for key, option in self.options.items()}

    @property
    def looks(self) -> dict[str, str]:
        """What it chooses by, with the function that loads the network."""
        return {
            **({"features": FEATURES} if self.by_features else {}),
            **({"logits": LOGITS} if self.needs_classifier else {}),
        }


def _factor(default: int) -> dict[str, Option]:
    """The one option of selections that take images one by one."""
    return {"factor": Option(TIMES, "Images that are sampled for each that is kept.", default)}


SELECTIONS: dict[str, Selection] = {
    selection.name: selection
    for selection in (
        Selection(
            "subgroup",
            "lighthouse.selection.subgroup:subgroup",
            "IMS³'s choice of one of several sets of each class: near the class's real centre, "
            "far from the other classes' sets.",
            "groups",
            {
                "groups": Option(TIMES, "Sets of each class that are sampled; one is kept.", 5),
                "nearness": Option(
                    WEIGHT, "IMS³'s α: weight of nearness to the real images' centre.", 0.4, "α"
                ),
                "spread": Option(
                    WEIGHT, "IMS³'s β: weight of the distance from other classes' sets.", 0.9, "β"
                ),
                "rounds": Option(
                    {"type": "integer", "minimum": 0, "maximum": 1000},
                    "Rounds over the classes at most; 0 keeps the sets nearest to the real images.",
                    5,
                ),
            },
            by_features=True,
            of_others=True,
        ),
        Selection(
            "support",
            "lighthouse.selection.energy:support",
            "Those images that together have the least energy among the class's real ones, by "
            "deep features.",
            "factor",
            _factor(4),
            by_features=True,
            couplings=ALONE,
            ours=True,
        ),
        Selection(
            "confident",
            "lighthouse.selection.confident:confident",
            "CaO₂'s choice: those that a classifier of real images puts into their class, the "
            "surest first.",
            "factor",
            _factor(2),
            needs_classifier=True,
            couplings=ALONE,
            of_others=True,
        ),
    )
}
