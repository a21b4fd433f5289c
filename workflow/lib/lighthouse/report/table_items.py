"""Every table of a study: what makes it, of what, and where it goes."""

from collections.abc import Iterable, Mapping, Sequence

from lighthouse.config import paths, rows
from lighthouse.config.batches import measured_by, sampled_by, trained_by, tuned_by
from lighthouse.config.candidates import SCALE
from lighthouse.config.claims import claim_rows
from lighthouse.config.labels import scored_labels
from lighthouse.config.prior_check import checked
from lighthouse.config.study import Study
from lighthouse.parts.measures import MEASURES, Reach
from lighthouse.parts.terms import TERMS
from lighthouse.report.cost import paths_of
from lighthouse.report.item import Inputs, Item
from lighthouse.report.item_inputs import FIRST, THIRD, finished, of_records, strategies


def _table(
    name: str,
    maker: str,
    label: str,
    inputs: Inputs,
    params: Mapping,
    caption: str | None = None,
    before: Iterable[str] = (),
    **more: object,
) -> Item:
    """A table as CSV and as a page. before: other tables of the same maker."""
    outputs = {other: [paths.table(other)] for other in before}
    outputs["table"] = [paths.table(name, suffix) for suffix in ("csv", "html")]
    place, maker, labels = f"tables/{name}", f"lighthouse.report.{maker}", {"table": label}
    return Item(place, maker, inputs, outputs, params, labels, THIRD, caption or name, **more)


def _joined(
    study: Study,
    name: str,
    label: str,
    records: Sequence[rows.Expected],
    part: str,
    jobs: Sequence[str],
    caption: str | None = None,
) -> Item:
    """A table of the rows of several records, each with what names them."""
    return _table(
        name,
        "measures:joined",
        label,
        params={
            "names": [record.row for record in records],
            "part": part,
            "replicates": study.replicate_of,
        },
        caption=caption,
        **of_records(records, jobs),
    )


def tables(study: Study) -> list[Item]:
    run, compared = study.run, study.run["comparisons"]
    found = [
        _leaderboard(study),
        _recommendation(study),
        *([_claims(study)] if run["claims"] else []),
        _accuracy(study),
        _table(
            "significance",
            "significance:significance_table",
            "Paired comparisons (exploratory)",
            finished("runs"),
            {
                "cells": [cell.row for cell in study.main_cells],
                **{name: compared[name] for name in ("base", "pairs", "alpha")},
            },
        ),
        _cost(study),
    ]
    if run["ablation"]:
        found += [
            _table(
                "ablation",
                "ablation:ablation_table",
                "Ablation",
                finished("runs", "diversity"),
                {
                    "rows": rows.ablation_specs(study),
                    "students": run["ablation"]["students"],
                    "alpha": compared["alpha"],
                },
            )
        ]
    of_all, of_tables = (rows.set_records(study, c) for c in (study.cells, study.table_cells))
    measured, compared = (measured_by(study, c) for c in (study.cells, study.table_cells))
    found += [
        _joined(study, "diversity", "Diversity and set utility", of_all, "diversity", measured),
        _joined(study, "fid", "Fréchet distance", of_tables, "distances", compared),
        _joined(study, "fid_sets", "Fréchet distance by set", of_tables, "set_distances", compared),
        *(_spectra(study) if run["spectrum"] else []),
        _guidance(study),
        _autoencoders(study),
    ]
    if judged := checked(study):
        found.append(_prior_verdict(judged))
    if trained := rows.prior_rows(study):
        found.append(_priors(trained))
    if study.choices:
        found.append(_tuning(study))
    if run["strategies"]:
        records, jobs = strategies(study)
        found += [
            _joined(
                study, "strategies", "Joint against sequential sampling", records, "tests", jobs
            ),
            _joined(
                study,
                "strategies_classes",
                "Joint against sequential sampling, class by class",
                records,
                "classes",
                jobs,
            ),
        ]
    return found


def _spectra(study: Study) -> list[Item]:
    curves, drawn = rows.spectra(study), measured_by(study, rows.spectrum_cells(study))
    return [
        _joined(study, "spectrum", "Singular values", curves, "spectrum", drawn, "spectrum_values"),
        _joined(study, "spectrum_ranks", "Effective and stable rank", curves, "ranks", drawn),
    ]


def _accuracy(study: Study) -> Item:
    records = rows.student_records(study)
    return _table(
        "accuracy",
        "accuracy:accuracy_tables",
        "Student accuracy",
        params={
            "rows": [record.row for record in records],
            "replicates": study.replicate_of,
        },
        before=["runs"],
        **of_records(records, trained_by(study)),
    )


def _cost(study: Study) -> Item:
    costs = rows.cost_rows(study)
    own = sorted({path for row in costs for path in paths_of(row)})
    stamps = {row["sample"]: row["stamp"] for row in costs if row["sample"]}
    stamps |= {record.path: record.stamp for record in rows.tuning_records(study)}
    cells = study.table_cells
    return _table(
        "cost",
        "cost:cost_table",
        "Cost",
        {"records": own},
        {"rows": costs, "paths": own},
        before=["cost_replicates"],
        stamps=stamps,
        jobs=[*sampled_by(study, cells), *tuned_by(study, cells)],
    )


def _autoencoders(study: Study) -> Item:
    own = rows.autoencoder_rows(study)
    return _table(
        "autoencoders",
        "autoencoders:autoencoders_table",
        "Autoencoders",
        {"records": [row["cost"] for row in own]},
        {"rows": own},
    )


def _priors(trained: Sequence[Mapping]) -> Item:
    return _table(
        "priors",
        "priors:priors_table",
        "Priors",
        {"records": [row["cost"] for row in trained], **finished("diversity")},
        {"rows": trained},
    )


def _prior_verdict(datasets: Sequence[str]) -> Item:
    suffixes = {"table": ["csv", "html"], "markdown": ["md"]}
    return Item(
        "tables/prior_verdict",
        "lighthouse.report.prior_verdict:prior_verdict_table",
        {"records": [paths.prior_verdict(dataset) for dataset in datasets]},
        {name: [paths.table("prior_verdict", s) for s in own] for name, own in suffixes.items()},
        {"datasets": list(datasets)},
        {"table": "Verdict on each base prior"},
        THIRD,
        "prior_verdict",
    )


def _tuning(study: Study) -> Item:
    records, cells = rows.tuning_records(study), study.choices
    used = {term for cell in cells for term in study.methods[cell.method].guidance}
    weights = [term.column for term in TERMS.values() if term.name in used]
    return _table(
        "tuning",
        "tuning:tuning_table",
        "Weights that were tuned",
        params={
            "names": [record.row for record in records],
            "candidates": rows.candidates(study),
            "weights": [SCALE, *weights] if study.scaled_cells else weights,
        },
        **of_records(records, tuned_by(study, cells)),
    )


def _guidance(study: Study) -> Item:
    cells = [cell for cell in study.cells if study.methods[cell.method].denoises]
    return _table(
        "guidance",
        "guidance:guidance_table",
        "Guidance weights as applied",
        params={"cells": [cell.row for cell in cells]},
        **of_records(rows.sample_records(study, cells), sampled_by(study, cells)),
    )


def _leaderboard(study: Study) -> Item:
    suffixes = {"table": "csv", "markdown": "md", "latex": "tex", "page": "html"}
    return Item(
        "tables/leaderboard",
        "lighthouse.report.pages:leaderboard",
        {
            **finished("runs", "accuracy", "significance", "diversity", "fid", "cost"),
            "published": str(study.table_path("published")),
        },
        {name: [paths.table("leaderboard", suffix)] for name, suffix in suffixes.items()},
        {
            "specs": rows.leaderboard_specs(study),
            "students": study.run["students"],
            "labels": scored_labels(study),
            "base": study.run["comparisons"]["base"],
            "alpha": study.run["comparisons"]["alpha"],
        },
        {"table": "Leaderboard"},
        FIRST,
        "leaderboard",
    )


def _recommendation(study: Study) -> Item:
    records = rows.board_records(study)
    suffixes = {"table": "csv", "markdown": "md", "page": "html"}
    return Item(
        "tables/recommendation",
        "lighthouse.report.recommendation:recommendation_table",
        outputs={name: [paths.table("recommendation", s)] for name, s in suffixes.items()},
        params={
            "rows": [record.row for record in records],
            "replicates": study.replicate_of,
            "alpha": study.run["comparisons"]["alpha"],
        },
        labels={"table": "Recommendation"},
        category=FIRST,
        caption="recommendation",
        **of_records(records, trained_by(study)),
    )


def _claims(study: Study) -> Item:
    suffixes = {"table": "csv", "markdown": "md", "page": "html"}
    return Item(
        "tables/claims",
        "lighthouse.report.claims:claims_table",
        finished(
            *dict.fromkeys(
                measure.table
                for measure in MEASURES.values()
                if measure.reach is not Reach.CURVES or study.run["spectrum"]
            )
        ),
        {name: [paths.table("claims", suffix)] for name, suffix in suffixes.items()},
        {"rows": claim_rows(study), "alpha": study.run["comparisons"]["alpha"]},
        {"table": "Claims"},
        FIRST,
        "claims",
    )
