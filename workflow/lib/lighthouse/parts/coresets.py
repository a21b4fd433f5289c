"""Coresets of real images: one entry of ``CORESETS`` declares all that is known of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lighthouse.parts.option import COUNT, Option


@dataclass(frozen=True)
class Coreset:
    """How real images are chosen, or pieces of them of which images are composed.

    name: in the method table. choose: ``module:function``, a ``coresets.Coreset``; of one that
    composes, a function like ``mosaics.rded``.
    by_features: whether it goes by the extractor's features. nested: whether its first n images
    of a larger IPC are those of IPC n. needs_classifier: whether it asks for the dataset's
    ``classifier``. behind: real images behind each of a set's. options: what a user may say of it,
    by key; each has a default. what: one that has options, in a sentence. of_others: whether
    figures show its images among other authors' methods, not among real ones.
    """

    name: str
    choose: str
    by_features: bool = False
    nested: bool = True
    needs_classifier: bool = False
    behind: int = 1
    options: Mapping[str, Option] = field(default_factory=dict)
    what: str = ""
    of_others: bool = False

    @property
    def composes(self) -> bool:
        """Whether its images are put together of several real ones, and so are none themselves."""
        return self.behind > 1

    @property
    def defaults(self) -> dict[str, object]:
        """What its options are where a config leaves them out."""
        return {key: option.default for key, option in self.options.items()}


CORESETS: dict[str, Coreset] = {
    coreset.name: coreset
    for coreset in (
        Coreset("random", "lighthouse.coresets:random"),
        Coreset("herding", "lighthouse.coresets:herding", by_features=True),
        Coreset("k-centre", "lighthouse.coresets:k_centre", by_features=True),
        Coreset("support", "lighthouse.coresets:support", nested=False),
        Coreset("support-deep", "lighthouse.coresets:support_deep", by_features=True, nested=False),
        Coreset(
            "rded",
            "lighthouse.mosaics:rded",
            nested=False,
            needs_classifier=True,
            behind=4,
            options={
                "images": Option(
                    COUNT, "Images of a class that are drawn, or all where it has fewer.", 300
                ),
                "crops": Option(COUNT, "Random pieces of each, of which the best counts.", 5),
            },
            of_others=True,
            what="RDED's mosaics: pieces of real images that a classifier is surest of.",
        ),
    )
}

#: Those of which a user may say something.
WITH_OPTIONS = {name: coreset for name, coreset in CORESETS.items() if coreset.options}
