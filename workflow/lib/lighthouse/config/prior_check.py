"""Whether a base prior is worth distilling with: on which datasets that is asked, and by what."""

from collections.abc import Iterable

from lighthouse.config import paths
from lighthouse.config.candidates import SCALE
from lighthouse.config.grid import Cell
from lighthouse.config.grid_checks import check_student
from lighthouse.config.study import Study
from lighthouse.parts.sweeps import SAMPLER_DEFAULTS

#: The largest seed. Those of the check are counted down from it, and seldom anybody's own.
LAST_SEED = 2**32 - 1
#: Options of a dataset that advice on its prior goes by; of the sampler's the guidance scale alone.
READS = ("image_size", "autoencoder", "denoiser", "base", "sampler")


def checked(study: Study) -> list[str]:
    """The datasets whose base prior is judged: all, where a method samples from a prior."""
    if study.run["prior_check"] is None:
        return []
    names = [*study.run["methods"], *(study.run["ablation"] or {"methods": []})["methods"]]
    sampled = any(study.methods[name].denoises for name in names)
    return list(study.run["datasets"]) if sampled else []


def student_of(study: Study) -> tuple[str, str]:
    """The student and protocol that judge: those of ``run.tuning``, or else the study's first."""
    tuning = study.run["tuning"]
    if tuning is not None:
        return tuning["student"], tuning["protocol"]
    return study.run["students"][0], study.run["protocols"][0]


def seeds(study: Study) -> list[int]:
    """The sampling seeds of the sets that judge: of no set that is reported or that chooses."""
    tuning = study.run["tuning"]
    taken = {*study.set_seeds, *(tuning["seeds"] if tuning is not None else ())}
    free = (seed for seed in range(LAST_SEED, -1, -1) if seed not in taken)
    return [next(free) for _ in range(study.run["prior_check"]["sets"])]


def sampler(study: Study, dataset: str) -> dict:
    """The options by which the prior's images are drawn, as unguided cells have them.

    ``guidance_scale`` is None where it is chosen: only the record of the choice knows it.
    """
    options = {**SAMPLER_DEFAULTS, **study.dataset(dataset)["sampler"]}
    del options["start_step"]
    return options | ({SCALE: None} if study.scales(dataset) else {})


def changeable(study: Study, dataset: str) -> dict:
    """The options of a dataset that the advice on its prior reads (``priors.verdict.advice``)."""
    options = study.dataset(dataset)
    found = {key: options[key] for key in READS if key in options}
    return {**found, "sampler": {SCALE: found["sampler"][SCALE]}}


def scale_record(study: Study, dataset: str) -> str | None:
    """The record that has the guidance scale; None where the config gives it."""
    if not study.scales(dataset):
        return None
    ipc = study.run["tuning"]["guidance_scale_ipc"]
    return paths.tuning(Cell(dataset, study.unguided, ipc))


def prior_check_problems(study: Study) -> Iterable[str]:
    """What is wrong with ``run.prior_check`` of a study whose names are known."""
    check = study.run["prior_check"]
    if check is None:
        return
    if check["useless"] > check["weak"]:
        yield (
            f"config: run.prior_check.useless: {check['useless']} is above weak, "
            f"{check['weak']}; allowed: at most that"
        )
    student, protocol = student_of(study)
    for key in ("epochs", "batch_size"):
        last, _ = study.protocol(protocol)[key][-1]
        if check["ipc"] > last:
            yield (
                f"config: run.prior_check.ipc: protocol {protocol!r} has no {key} for IPC "
                f"{check['ipc']}; its last pair holds up to IPC {last}"
            )
    for dataset in checked(study):
        yield from check_student(study, dataset, student, protocol)
