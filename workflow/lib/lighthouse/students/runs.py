"""Several students of one set of images, and what is recorded of them."""

from collections.abc import Iterable, Mapping

from torch import nn

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
) -> list[dict]:
    """Train one student for each of ``student_seeds`` on the set of ``seed``, and score it.

    parts: the real images by part (``read_pixels``). The students share nothing but the
    set. Each entry has ``seed``, ``student_seed`` and what ``score_student`` gives.
    """
    seen = parts[choosing_part(parts)]
    runs = []
    for student_seed in student_seeds:
        student, record = train_student(
            train, seen, network, protocol, ipc, seed, teacher, student_seed
        )
        scores = score_student(student, record, parts, protocol)
        runs.append({"seed": seed, "student_seed": student_seed, **scores})
    return runs


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
