"""Rule `distilled`: distilled sets as PNG class folders, with a card, to be handed on."""

import json
from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.datasets.card import card  # noqa: E402
from lighthouse.datasets.export import handed_on, write_class_folders  # noqa: E402
from lighthouse.runtime.cells import run_cells  # noqa: E402
from lighthouse.runtime.files import read_about, read_arrays, read_json, without_nan  # noqa: E402
from lighthouse.tables import MEASURED, cell_key, read_rows  # noqa: E402

#: What students reached on each cell's sets.
scores: dict[tuple, list[dict]] = {}
for row in read_rows(job.input.accuracy):
    if row["status"] == MEASURED:
        names = {"student": row["student"], "protocol": row["protocol"]}
        figures = {"mean": row["top1_last_mean"], "std": row["top1_last_std"]}
        sets, each = int(row["n_seeds"]), int(row["n_students"])
        counts = {"students": sets * each, "sets": sets}
        scores.setdefault(cell_key(row), []).append(without_nan({**names, **figures, **counts}))


def make(cell: dict) -> dict:
    """Write the folders of one cell."""
    ipc, path = cell["ipc"], cell["images"]
    sets = {key: images[:, :ipc] for key, images in read_arrays(path).items()}
    about = read_about(path)
    about |= {
        "dataset": job.wildcards.dataset,
        "method": cell["row"]["method"],
        "label": cell["label"],
        "ipc": ipc,
        "image_size": job.params.image_size,
        "scores": cell["scores"],
        "licence": job.params.licence,
        "source_url": job.params.url,
    }
    # The real images that they are, or are composed of: by set and class, in the order of the
    # files' numbers.
    if chosen := read_json(cell["sources"][0]).get("chosen"):
        about["chosen"] = {
            key: dict(zip(about["classes"], (files[:ipc] for files in of_set), strict=True))
            for key, of_set in chosen.items()
        }
    about = handed_on(about)
    write_class_folders(Path(cell["folder"]), sets, about, card(list(sets), about))
    return {"folder": cell["folder"], "sets": len(sets)}


cells = [{**cell, "scores": scores.get(cell_key(cell["row"]), [])} for cell in job.params.cells]
# A set is written anew where its own scores are others, not where any in the table are.
run_cells(job, [{**cell, "code": json.dumps(cell["scores"])} for cell in cells], make)
