"""Single trainings, as their table (``runs.csv``) has them, and which of them compare."""

import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping

from lighthouse.tables import MEASURED, cell_key

#: Accuracy by (replicate, sampling seed, student seed), of each (cell, student, protocol).
Trainings = dict[tuple, dict[tuple[int, int, int], float]]


def trainings(runs: Iterable[Mapping]) -> Trainings:
    """The accuracy of every training. runs: rows of the table; what failed is not in it."""
    found: Trainings = defaultdict(dict)
    for run in runs:
        if run["status"] == MEASURED:
            place = found[cell_key(run), run["student"], run["protocol"]]
            place[run["replicate"], run["seed"], run["student_seed"]] = run["top1_last"]
    return dict(found)


def paired_differences(
    first: Mapping[tuple[int, int, int], float], second: Mapping[tuple[int, int, int], float]
) -> dict[int, float]:
    """First less second, by replicate: the mean over the trainings that both have in it.

    The replicate is the pair: both sides go back to the same base prior, their sets start from
    the same noise, and their students from the same draws. What one side alone has is left out,
    for sets of a sweep have fewer students than those of the main table.
    """
    differences = defaultdict(list)
    for training in first:
        if training in second:
            differences[training[0]].append(first[training] - second[training])
    return {replicate: statistics.fmean(values) for replicate, values in differences.items()}


def shared_students(runs: Iterable[Mapping]) -> set[int]:
    """Seeds of the students that every set of the measured runs has: by these, sets compare.

    A set of an ablation or a sweep has one student, one of the main table all of them; and a
    mean over more students is a mean over other draws.
    """
    students = defaultdict(set)
    for run in runs:
        if run["status"] == MEASURED:
            one_set = cell_key(run), run["student"], run["protocol"], run["seed"]
            students[one_set].add(run["student_seed"])
    return set.intersection(*students.values()) if students else set()
