"""Coresets of real images: one entry of ``CORESETS`` declares all that is known of one."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Coreset:
    """How real images are chosen.

    name: in the method table. choose: ``module:function``, a ``coresets.Coreset``.
    by_features: whether it goes by the extractor's features. nested: whether its first n images
    of a larger IPC are those of IPC n. needs_classifier: whether it asks for the dataset's
    ``classifier``.
    """

    name: str
    choose: str
    by_features: bool = False
    nested: bool = True
    needs_classifier: bool = False


CORESETS: dict[str, Coreset] = {
    coreset.name: coreset
    for coreset in (
        Coreset("random", "lighthouse.coresets:random"),
        Coreset("herding", "lighthouse.coresets:herding", by_features=True),
        Coreset("k-centre", "lighthouse.coresets:k_centre", by_features=True),
        Coreset("support", "lighthouse.coresets:support", nested=False),
        Coreset("support-deep", "lighthouse.coresets:support_deep", by_features=True, nested=False),
    )
}
