"""Whose the methods of a study are, by which figures tell them apart."""

from dataclasses import asdict

from lighthouse.config.grid import Method
from lighthouse.config.study import Study
from lighthouse.parts.coresets import CORESETS
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.parts.selections import SELECTIONS
from lighthouse.parts.terms import named


def method_looks(study: Study) -> list[dict]:
    """The methods of the leaderboard with their parts, by which figures tell them apart.

    ``of_others``: whether a part is other authors' than RSM and CGS. ``ours``: whether one is of no
    source.
    """
    names = [*study.run["methods"], *study.config["external"]]
    methods = [study.methods[name] for name in names]
    return [
        {
            **asdict(method),
            "of_others": any(part.of_others for part in _parts(study, method)),
            "ours": any(part.ours for part in _chosen(method)),
        }
        for method in methods
    ]


def _chosen(method: Method) -> list:
    """The declarations of a method's terms and its selection."""
    selected = [SELECTIONS[method.selection]] if method.selection else []
    return [*named(method.guidance), *selected]


def _parts(study: Study, method: Method) -> list:
    """These, and those of its coreset and of what its prior was trained by."""
    coreset = [CORESETS[method.coreset]] if method.coreset else []
    prior = study.config["priors"][method.prior]["objective"] if method.denoises else None
    return [*_chosen(method), *coreset, *([OBJECTIVES[prior]] if prior else [])]
