"""The label-robust score: how good a set's images are, whatever labels its students are given.

DD-Ranking's (Li et al., arXiv 2505.13300). With a teacher's soft labels students learn much from
any images, random ones too, so their accuracy alone says little of a set. Two differences do, in
percentage points:

- ``hlr``, hard label recovery: all real images less the set, both with hard labels. The lower
  the better.
- ``ior``, improvement over random: the set less as many random real images, both under the
  row's own protocol, whatever labels it has.

With both as shares of 1, α = ½·ior − ½·hlr, and LRS = (e^α − e⁻¹) / (e − e⁻¹): 0 at α = −1, 1 at
α = 1, and here in %. A set that does as random images and as all real ones has 26.9.

Ours: every set is trained by the same protocol, to its last epoch, where DD-Ranking takes the
best of five learning rates and the best epoch on the test part. A replicate's set is compared
with random images of the same replicate by students of the same seeds. DD-Ranking's release 0.2.0
puts percentages into the formula in place of shares, which leaves 0 to 1; we take shares, as its
documentation does.
"""

import math
import statistics
from collections.abc import Mapping, Sequence

from lighthouse.config.grid import CEILINGS
from lighthouse.report.statistics import deviation
from lighthouse.report.trainings import Trainings, paired_differences, trainings
from lighthouse.tables import NAN, cell_key

COLUMNS = ("hlr", "ior", "lrs", "lrs_std", "hard_protocol", "full_hard", "full_hard_from")
#: Where the accuracy on all real images is from: the study's ceiling, or its config.
CEILING, GIVEN = "ceiling", "config"
#: DD-Ranking's weight of improvement over random; the rest is that of hard label recovery.
WEIGHT = 0.5


def label_robust_score(ior: float, hlr: float) -> float:
    """LRS in %, 0…100. ior, hlr: percentage points, -100…100."""
    alpha = (WEIGHT * ior - (1 - WEIGHT) * hlr) / 100
    return 100 * (math.exp(alpha) - math.exp(-1)) / (math.exp(1) - math.exp(-1))


def score_rows(
    runs: Sequence[Mapping], specs: Sequence[Mapping], labels: Mapping[str, Mapping | str | None]
) -> list[dict]:
    """A row for each set of ``specs``, student and protocol that was trained: ``COLUMNS``.

    runs: rows of ``runs.csv``. specs: the leaderboard's (``config.rows.leaderboard_specs``).
    labels: ``hard``, of each protocol the one with hard labels that is read beside it, or None;
    ``random``, the method whose sets are random real images, or None; ``full``, by dataset and
    student, accuracies in % on all real images where the study trains none.

    ``hlr``, ``ior`` and ``lrs`` are means over replicates, ``lrs_std`` their sample standard
    deviation; ``lrs`` is of the replicates that have both differences. NaN, or an empty word,
    where a part of them is missing. Ceilings have no row.
    """
    found = trainings(runs)
    cells = {(s["dataset"], s["method"], s["ipc"]): cell_key(s) for s in specs if s["run"]}
    places = dict.fromkeys((run["student"], run["protocol"]) for run in runs)
    return [
        {
            **dict(zip(("dataset", "method", "ipc"), place, strict=True)),
            "student": student,
            "protocol": protocol,
            **_scores(found, cells, place, student, protocol, labels),
        }
        for student, protocol in places
        for place, cell in cells.items()
        if (cell, student, protocol) in found and place[1] not in CEILINGS
    ]


def _scores(
    found: Trainings,
    cells: Mapping[tuple, tuple],
    place: tuple,
    student: str,
    protocol: str,
    labels: Mapping,
) -> dict:
    dataset, _, ipc = place
    hard = labels["hard"][protocol]
    own = found[cells[place], student, protocol]
    random = found.get((cells.get((dataset, labels["random"], ipc)), student, protocol), {})
    full, source = _full(found, cells, dataset, student, hard, labels["full"])
    under_hard = _by_replicate(found.get((cells[place], student, hard), {}))
    ior = paired_differences(own, random)
    hlr = {r: full - value for r, value in under_hard.items()} if source else {}
    lrs = [label_robust_score(ior[r], hlr[r]) for r in hlr if r in ior]
    return {
        "hlr": _mean(hlr.values()),
        "ior": _mean(ior.values()),
        "lrs": _mean(lrs),
        "lrs_std": deviation(lrs),
        "hard_protocol": hard or "",
        "full_hard": full,
        "full_hard_from": source,
    }


def _full(
    found: Trainings,
    cells: Mapping[tuple, tuple],
    dataset: str,
    student: str,
    hard: str | None,
    given: Mapping[str, Mapping[str, float]],
) -> tuple[float, str]:
    """Accuracy in % on all real images with hard labels, and where it is from."""
    (name,) = (ceiling.name for ceiling in CEILINGS.values() if ceiling.real)
    ceiling = next((cell for place, cell in cells.items() if place[:2] == (dataset, name)), None)
    if measured := found.get((ceiling, student, hard)):
        return statistics.fmean(measured.values()), CEILING
    if hard and student in given.get(dataset, {}):
        return given[dataset][student], GIVEN
    return NAN, ""


def _by_replicate(of_one: Mapping[tuple[int, int, int], float]) -> dict[int, float]:
    """The mean of each replicate's trainings."""
    values: dict[int, list[float]] = {}
    for (replicate, *_), value in of_one.items():
        values.setdefault(replicate, []).append(value)
    return {replicate: statistics.fmean(own) for replicate, own in values.items()}


def _mean(values: Sequence[float]) -> float:
    return statistics.fmean(values) if values else NAN
