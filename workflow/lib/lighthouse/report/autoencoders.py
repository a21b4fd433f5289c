"""The autoencoders of a study: what each took, how near images come back, how small latents are."""

import math
from collections.abc import Mapping, Sequence

from lighthouse.report.tables import Table
from lighthouse.tables import MEASURED, MISSING, NAN

#: Terms of the loss, as a record has them.
TERMS = ("squared", "absolute", "perceptual", "kl")
COLUMNS = (
    *("dataset", "trainable_parameters", "steps", "seconds"),
    *(f"training_{term}" for term in TERMS),
    *("squared_error_train", "squared_error_val", "psnr_val", "latent_dim", "compression"),
    "status",
)
#: Of a colour, -1 to 1, as squared errors have it.
RANGE = 2


def autoencoders_table(
    records: Sequence[Mapping | None], rows: Sequence[Mapping]
) -> dict[str, Table]:
    """A row a dataset. records: what its autoencoder took and reaches, None of a failed one.

    rows: ``dataset``, ``image_size``. ``training_<term>``: at the last step, before its weight;
    NaN of one without a weight, and of a pretrained autoencoder. ``psnr_val``: in dB, of the error
    over all images; NaN as ``squared_error_val`` is, where there is no validation part.
    """
    pairs = zip(rows, records, strict=True)
    return {"table": Table([_row(row, record) for row, record in pairs], COLUMNS)}


def _row(row: Mapping, record: Mapping | None) -> dict:
    found = {**dict.fromkeys(COLUMNS, NAN), "dataset": row["dataset"], "status": MISSING}
    if record is None:
        return found
    errors = {part: NAN if e is None else e for part, e in record["squared_error"].items()}
    return {
        **found,
        **{key: record[key] for key in ("trainable_parameters", "steps", "seconds", "latent_dim")},
        **{f"training_{term}": value for term, value in record["losses"].items()},
        **{f"squared_error_{part}": error for part, error in errors.items()},
        "psnr_val": psnr(errors["val"]),
        "compression": 3 * row["image_size"] ** 2 / record["latent_dim"],
        "status": MEASURED,
    }


def psnr(squared_error: float) -> float:
    """Peak signal-to-noise ratio in dB of colours in -1…1; infinite of images without an error."""
    return 10 * math.log10(RANGE**2 / squared_error) if squared_error else math.inf
