"""Which labels the label-robust score of a study compares (``report.label_robust``)."""

from lighthouse.config.study import Study


def scored_labels(study: Study) -> dict:
    """What the label-robust score compares a row of the leaderboard with.

    ``hard``: of each protocol the one with hard labels beside it, itself where its own are hard,
    else the first of the study's that has them, or None. ``random``: the first method whose sets
    are random real images, or None. ``full``: ``run.full_hard``.
    """
    protocols, methods = study.run["protocols"], study.run["methods"]
    hard = [name for name in protocols if study.protocol(name)["labels"] == "hard"]
    random = [name for name in methods if study.methods[name].coreset == "random"]
    return {
        "hard": {name: name if name in hard else next(iter(hard), None) for name in protocols},
        "random": next(iter(random), None),
        "full": study.run["full_hard"],
    }
