"""Several students of a cell's sets of images, and what is recorded of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence

from torch import nn

from lighthouse.runtime.keeper import Keeper
from lighthouse.students.networks import is_stackable
from lighthouse.students.stacked import train_together
from lighthouse.students.trainer import Images, choosing_part, score_student, train_student


def run_students(
    train: Images,
    parts: Mapping[str, Images],
    network: Mapping,
    protocol: Mapping,
    ipc: int,
    seed: int,
    student_seeds: Iterable[int],
    teacher: nn.Module | None = None,
    keeper: Keeper | None = None,
) -> list[dict]:
    """Train one student for each of ``student_seeds`` on the set of ``seed``, and score it.

    The students share nothing but the set. Arguments and entries: see ``run_sets``.
    """
    named = parts, network, protocol, ipc, student_seeds, teacher
    return run_sets(lambda _: train, [seed], *named, keeper=keeper)


def run_sets(
    read: Callable[[int], Images],
    seeds: Iterable[int],
    parts: Mapping[str, Images],
    network: Mapping,
    protocol: Mapping,
    ipc: int,
    student_seeds: Iterable[int],
    teacher: nn.Module | None = None,
    at_once: int = 1,
    keeper: Keeper | None = None,
) -> list[dict]:
    """Train a student for each of ``student_seeds`` on the set of each of ``seeds``, and score it.

    read: the set of a seed. parts: the real images by part (``read_pixels``). at_once: how
    many are trained as one batch of models; a kind of network that cannot is trained one by one.
    keeper: has the entries of students that another process has trained.
    Each entry has ``seed``, ``student_seed``, what ``score_student`` gives, and ``at_once``
    where more than one were.
    """
    seen = parts[choosing_part(parts)]
    students = [(seed, student_seed) for seed in seeds for student_seed in student_seeds]
    if at_once > 1 and not is_stackable(network, seen.size):
        at_once = 1
    keeper, sets = keeper or Keeper(), {}
    for first in range(len(keeper.done), len(students), at_once):
        group = students[first : first + at_once]
        needed = {seed for seed, _ in group}
        sets = {seed: sets.get(seed) or read(seed) for seed in needed}
        trained = _train(group, sets, seen, network, protocol, ipc, teacher, keeper)
        runs, together = [], {"at_once": len(group)} if len(group) > 1 else {}
        for (seed, student_seed), (student, record) in zip(group, trained, strict=True):
            scores = score_student(student, record, parts, protocol)
            runs.append({"seed": seed, "student_seed": student_seed, **scores, **together})
        keeper.finish(runs)
    return keeper.done


def _train(
    group: Sequence[tuple[int, int]],
    sets: Mapping[int, Images],
    seen: Images,
    network: Mapping,
    protocol: Mapping,
    ipc: int,
    teacher: nn.Module | None,
    keeper: Keeper,
) -> list[tuple[nn.Module, dict]]:
    """The students of a group, each with its record."""
    if len(group) > 1:
        own = [sets[seed] for seed, _ in group]
        return train_together(own, seen, network, protocol, ipc, group, teacher, keeper)
    ((seed, student_seed),) = group
    named = network, protocol, ipc, seed, teacher, student_seed, keeper
    return [train_student(sets[seed], seen, *named)]


def students_record(runs: list[dict], parts: Mapping[str, Images], about: Mapping) -> dict:
    """What a file of students holds. ``about``: see ``runtime.provenance``.

    ``best_chosen_on``: the part by which the best epoch was chosen, ``none`` where no student
    was looked at before its end: there the best is the last.
    """
    looked = any(run["curve"] for run in runs)
    chosen_on = choosing_part(parts) if looked else "none"
    facts = {"best_chosen_on": chosen_on, "n_test": len(parts["test"].labels)}
    return {"runs": runs, **facts, **about}


def scores_in_words(runs: Iterable[Mapping]) -> str:
    """Last accuracies in %, for a job's last word."""
    return ", ".join(f"{100 * run['last']:.1f}" for run in runs) + " %"


def held_to(protocol: Mapping, ipc: int) -> dict:
    """The protocol with its last epochs and batch size held up to ``ipc`` images per class.

    The peers' end at ImageNet's 1300, and a real training part may have more (ours).
    """
    held = {}
    for key in ("epochs", "batch_size"):
        *rest, (last, value) = protocol[key]
        held[key] = [*rest, [max(last, ipc), value]]
    return {**protocol, **held}
