"""The verdict on each dataset's base prior: in sentences, and as a table.

Jobs and the end of a run read it from the record that the rule ``prior_verdict`` writes.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from lighthouse.report.autoencoders import psnr
from lighthouse.report.tables import Table
from lighthouse.runtime.counting import many
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import read_json
from lighthouse.tables import MEASURED, MISSING, NAN

KINDS = ("sampled", "real", "reconstructed")
ACCURACIES = tuple(f"top1_{kind}{suffix}" for kind in KINDS for suffix in ("", "_std"))
#: Measures of the prior's images among the real ones, and of the random real images themselves.
NEAR = ("precision", "coverage", "coverage_real")
COLUMNS = (
    *("dataset", "verdict", "share_taught", "share_reconstructed", "limit", "change", "to"),
    *("n_per_class", "n_sets", "judged_on", "n_judged", "chance", *ACCURACIES, *NEAR),
    *("psnr", "psnr_on", "steps", "ended_by", "held_out_loss", "status"),
)
USELESS = "useless"
#: What a verdict is in a sentence.
SAID = {
    "good": "the base prior is good enough to distil with",
    "weak": "the base prior is weak: its images teach less than real ones do",
    USELESS: "the base prior is useless to distil with: its images teach next to nothing",
    "undecided": "whether the base prior is worth distilling with is undecided",
}
PARTS_OF_DATA = {"val": "validation", "test": "test"}
#: What ended a training, in a sentence.
ENDED = {
    "steps": "its given length",
    "flat": "a held-out loss that fell no more",
    "step budget": "its budget of steps",
    "minute budget": "its budget of minutes",
}


def lines(results: Path) -> list[str]:
    """The verdict on each dataset's prior in plain sentences; none where none was made.

    results: the folder of results of a study.
    """
    records = sorted(Path(results, "metrics", "prior").glob("*.json"))
    return [line for path in records for line in sentences(read_json(path))]


def sentences(record: Mapping) -> list[str]:
    """A record's verdict, what it rests on, and what to change."""
    verdict = f"{record['dataset']}: {SAID[record['verdict']]}."
    found = [verdict, _taught(record), _came_back(record), _near(record), _trained(record)]
    return [*found, *_limit(record), *_changes(record)]


def refusal(record: Mapping) -> str:
    """What a run is told that stops at a useless prior: the verdict, and how to go on."""
    return "\n".join(
        [
            *sentences(record),
            "Nothing is sampled from it (run.prior_check.on_useless: stop). To go on all the same, "
            "write in the study's file:",
            "  run: {prior_check: {on_useless: go-on}}",
        ]
    )


def check_gate(record: Mapping, on_useless: str) -> None:
    """Raise ``DataError``, with ``refusal``, of a useless prior at which a run is to stop."""
    if record["verdict"] == USELESS and on_useless == "stop":
        raise DataError(refusal(record))


def _taught(record: Mapping) -> str:
    reached = {kind: _percent(record["accuracy"][kind]) for kind in KINDS}
    part = PARTS_OF_DATA[record["judged_on"]]
    ipc, counted = record["ipc"], _counted(record["sets"], "set")
    words = (
        f"Students of {_counted(ipc, 'image')} a class that it draws reach {reached['sampled']} on "
        f"the {part} part, of as many random real images {reached['real']}; guessing reaches "
        f"{100 * record['chance']:.1f} % ({counted} each)."
    )
    if record["share"] is None:
        return f"{words} Students of the real images learn no more than chance: train them longer."
    return (
        f"{words} Above guessing it teaches {record['share']:.2f} of what the real images do "
        f"(weak below {record['weak']:g}, useless below {record['useless']:g})."
    )


def _came_back(record: Mapping) -> str:
    reached = _percent(record["accuracy"]["reconstructed"])
    words = f"The same real images, encoded and decoded by the autoencoder, reach {reached}"
    noise = psnr(record["squared_error"])
    return f"{words}; the error of all is {noise:.1f} dB (PSNR, the higher the better)."


def _near(record: Mapping) -> str:
    precision, coverage, real = (100 * record[name] for name in NEAR)
    return (
        f"{precision:.1f} % of its images lie among the real ones of their class (precision); "
        f"they have {coverage:.1f} % of these in their surroundings (coverage), the random real "
        f"images {real:.1f} %."
    )


def _trained(record: Mapping) -> str:
    training = record["training"]
    if not training["steps"]:
        return "It is a pretrained model, taken as it is."
    words = f"Its training took {training['steps']:,} steps and was ended by "
    words += ENDED[training["ended_by"]]
    held_out = training["held_out_loss"]
    return f"{words}." if held_out is None else f"{words}; held-out loss {held_out:.4g}."


def _limit(record: Mapping) -> list[str]:
    if record["limit"] is None:
        return []
    if record["limit"] == "autoencoder":
        share = record["reconstructed_share"]
        told = f"its reconstructions teach {share:.2f} of what the real images do"
        return [f"The autoencoder limits it: {told}."]
    flat = record["training"]["ended_by"] == "flat"
    longer = " A longer training would not help. More images of each class would." if flat else ""
    return [f"The denoiser limits it, not the autoencoder.{longer}"]


def _changes(record: Mapping) -> list[str]:
    found = [_change(record, change) for change in record["advice"]]
    return [f"{'Or change' if n else 'Change'} {words}." for n, words in enumerate(found)]


def _change(record: Mapping, change: Mapping) -> str:
    now = "null" if change["now"] is None else change["now"]
    words = f"{change['key']} from {now} to {change['to']}"
    if "times" not in change:
        return words
    of_autoencoder = change["of"] == "autoencoder"
    seconds = record["autoencoder_seconds"] if of_autoencoder else record["training"]["seconds"]
    minutes = (change["times"] - 1) * seconds / 60
    each = "" if of_autoencoder else " a replicate"
    return f"{words} (about {_minutes(minutes)} more{each})"


def _minutes(minutes: float) -> str:
    return many(max(1, math.ceil(minutes)), "minute")


def _percent(accuracy: Mapping) -> str:
    spread = "" if accuracy["std"] is None else f" ± {100 * accuracy['std']:.1f}"
    return f"{100 * accuracy['mean']:.1f}{spread} %"


def _counted(n: int, what: str) -> str:
    return f"{n} {what}" if n == 1 else f"{n} {what}s"


def prior_verdict_table(
    records: Sequence[Mapping | None], datasets: Sequence[str]
) -> dict[str, object]:
    """A row a dataset, and the verdicts as Markdown. records: None of one that was not judged.

    Accuracies and ``chance`` in %. ``change``, ``to``: the first advice; empty where there is none.
    """
    pairs = list(zip(datasets, records, strict=True))
    parts = [_markdown(name, record) for name, record in pairs]
    return {
        "table": Table([_row(name, record) for name, record in pairs], COLUMNS),
        "markdown": "\n\n".join(["# Is each base prior worth distilling with?", *parts]) + "\n",
    }


def _markdown(dataset: str, record: Mapping | None) -> str:
    told = [f"{dataset}: {MISSING}, because a computation failed."]
    if record is not None:
        told = sentences(record)
    return "\n".join([f"## {dataset}", "", *(f"- {line}" for line in told)])


def _row(dataset: str, record: Mapping | None) -> dict:
    found = {**dict.fromkeys(COLUMNS, NAN), "dataset": dataset, "status": MISSING}
    if record is None:
        return found
    training, (first, *_) = record["training"], [*record["advice"], {}]
    reached = {f"top1_{kind}": record["accuracy"][kind] for kind in KINDS}
    told = {
        **{key: record[key] for key in ("verdict", "limit", "judged_on", "n_judged", *NEAR)},
        "share_taught": record["share"],
        "share_reconstructed": record["reconstructed_share"],
        "n_per_class": record["ipc"],
        "n_sets": record["sets"],
        "change": first.get("key"),
        "to": None if not first else str(first["to"]),
        "chance": 100 * record["chance"],
        **{name: 100 * one["mean"] for name, one in reached.items()},
        **{f"{n}_std": one["std"] and 100 * one["std"] for n, one in reached.items()},
        "psnr": psnr(record["squared_error"]),
        "psnr_on": record["squared_error_on"],
        **{key: training[key] for key in ("steps", "ended_by", "held_out_loss")},
        "status": MEASURED,
    }
    return {**found, **{key: value for key, value in told.items() if value is not None}}
