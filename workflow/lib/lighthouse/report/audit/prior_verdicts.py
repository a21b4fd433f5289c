"""Verdicts on base priors: shares, words and limits by the accuracies that stand beside them."""

import math
from collections.abc import Iterator, Mapping

from lighthouse.report.audit.claims import NAN, Claim, Results, Within, measured, named, same, slack

TABLE = "tables/prior_verdict.csv"
ROW = ("dataset",)


def shares_of_verdicts(results: Results, grid: Mapping) -> Iterator[Claim]:
    """What a prior teaches is a share of what real images teach, both above one in the classes.

    None is told where the real images are not two standard errors above that.
    """
    for row in measured(results.rows(TABLE)):
        chance = 100 / grid["classes"][row["dataset"]]
        yield from same(TABLE, row, ROW, {"chance": chance})
        above = row["top1_real"] - chance
        for column, of in (("share_taught", "sampled"), ("share_reconstructed", "reconstructed")):
            told = row[f"top1_{of}"] - chance
            expected = told / above if _is_told(row, chance) else NAN
            by = 0.0
            if _is_told(row, chance):
                off = slack(row["top1_real"], row[f"top1_{of}"], chance)
                by = off * (1 + abs(expected)) / above + slack(expected)
            yield Claim(TABLE, named(row, ROW), column, row[column], expected, by)


def words_of_verdicts(results: Results, grid: Mapping) -> Iterator[Claim]:
    """A verdict follows from the share and the config's bounds, and so does what limits a prior."""
    check = grid["prior_check"]
    for row in measured(results.rows(TABLE)):
        place, share = (TABLE, named(row, ROW)), row["share_taught"]
        expected = "undecided"
        if _is_told(row, 100 / grid["classes"][row["dataset"]]):
            bad = "useless" if share < check["useless"] else "weak"
            expected = "good" if share >= check["weak"] else bad
        yield Claim(*place, "verdict", row["verdict"], expected)
        limit, back = NAN, row["share_reconstructed"]
        if expected in ("weak", "useless"):
            lossy = back < check["weak"] and 1 - back >= (1 - share) / 2
            limit = "autoencoder" if lossy else "denoiser"
        yield Claim(*place, "limit", row["limit"], limit)
        change, key = row["change"], f"datasets.{row['dataset']}."
        own = isinstance(change, str) and change.startswith(key) and limit == limit
        yield Claim(*place, "change", change, change if own else NAN)
        yield Claim(*place, "n_sets", row["n_sets"], check["sets"])
        yield Claim(*place, "n_per_class", row["n_per_class"], Within(1, check["ipc"]))


def joins_of_verdicts(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Training, autoencoder and part of a judged prior are those of the other tables."""
    chosen = {
        row["dataset"]: row["best_chosen_on"]
        for row in measured(results.rows("tables/accuracy.csv"))
        if row["best_chosen_on"] in ("val", "test")
    }
    trained = {
        row["dataset"]: row
        for row in measured(results.rows("tables/priors.csv"))
        if row["prior"] == "base" and row["replicate"] == grid["replicates"][0][1]
    }
    encoded = {row["dataset"]: row for row in measured(results.rows("tables/autoencoders.csv"))}
    for row in measured(results.rows(TABLE)):
        if row["dataset"] in chosen:
            yield from same(TABLE, row, ROW, {"judged_on": chosen[row["dataset"]]})
        if own := trained.get(row["dataset"]):
            told = {key: own[key] for key in ("steps", "ended_by", "held_out_loss")}
            yield from same(TABLE, row, ROW, told)
        if own := encoded.get(row["dataset"]):
            on = "train" if math.isnan(own["psnr_val"]) else "val"
            yield from same(TABLE, row, ROW, {"psnr_on": on})
            if on == "val":
                yield from same(TABLE, row, ROW, {"psnr": own["psnr_val"]})


def _is_told(row: Mapping, chance: float) -> bool:
    """Whether the real images teach more than chance."""
    share = chance / 100
    error = 100 * math.sqrt(share * (1 - share) / row["n_judged"])
    return row["top1_real"] - chance > 2 * error
