"""Every table and figure of a study: what makes it, of what, and where it goes.

The Snakefile reads this at each start: a maker is named here, and imported by ``making`` alone.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lighthouse.config import paths, rows
from lighthouse.config.batches import measured_by, sampled_by, trained_by, tuned_by
from lighthouse.config.candidates import SCALE
from lighthouse.config.claims import claim_rows
from lighthouse.config.grid import Cell
from lighthouse.config.study import Study
from lighthouse.parts.measures import MEASURES
from lighthouse.parts.terms import TERMS
from lighthouse.report.cost import paths_of
from lighthouse.report.item import Inputs, Item

TEMPLATES = Path(__file__).parent / "templates"
#: Categories of the report. The first of them is its first page's.
FIRST, SECOND, THIRD = "1 Leaderboard", "2 Figures", "3 Tables"


def template_digest() -> str:
    """A digest of all templates, which no import leads to."""
    sha = hashlib.sha256()
    for path in sorted(TEMPLATES.iterdir()):
        sha.update(path.name.encode() + path.read_bytes())
    return sha.hexdigest()[:16]


def items(study: Study) -> list[Item]:
    """The items of a study, tables first, as the report lists them."""
    return [_record(study), *_tables(study), *_figures(study)]


def _record(study: Study) -> Item:
    return Item(
        "study_record",
        "lighthouse.runtime.provenance:study_record",
        {},
        {"record": [f"{paths.RESULTS}/study.json"]},
        {
            "config": study.config,
            "methods": rows.method_records(study),
            "hyperparameters": study.hyperparameters,
        },
    )


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


def _of_records(records: Sequence[rows.Expected], jobs: Sequence[str]) -> dict:
    """An item's fields for records of cells. jobs: those that write them."""
    stamps = {record.path: record.stamp for record in records}
    paths_of_records = [record.path for record in records]
    return {"inputs": {"records": paths_of_records}, "stamps": stamps, "jobs": jobs}


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
        **_of_records(records, jobs),
    )


def _csv(*names: str) -> dict[str, str]:
    """Finished tables as inputs."""
    return {name: paths.table(name) for name in names}


def _tables(study: Study) -> list[Item]:
    run, compared = study.run, study.run["comparisons"]
    found = [
        _leaderboard(study),
        *([_claims(study)] if run["claims"] else []),
        _accuracy(study),
        _table(
            "significance",
            "significance:significance_table",
            "Paired comparisons (exploratory)",
            _csv("runs"),
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
                _csv("runs", "diversity"),
                {
                    "rows": rows.ablation_specs(study),
                    "students": run["ablation"]["students"],
                    "alpha": compared["alpha"],
                },
            )
        ]
    of_all, of_tables = (rows.set_records(study, c) for c in (study.cells, study.table_cells))
    curves = rows.spectra(study)
    measured, compared, drawn = (
        measured_by(study, cells)
        for cells in (study.cells, study.table_cells, rows.spectrum_cells(study))
    )
    found += [
        _joined(study, "diversity", "Diversity and set utility", of_all, "diversity", measured),
        _joined(study, "fid", "Fréchet distance", of_tables, "distances", compared),
        _joined(study, "fid_sets", "Fréchet distance by set", of_tables, "set_distances", compared),
        _joined(study, "spectrum", "Singular values", curves, "spectrum", drawn, "spectrum_values"),
        _joined(study, "spectrum_ranks", "Effective and stable rank", curves, "ranks", drawn),
        _guidance(study),
        _autoencoders(study),
    ]
    if trained := rows.prior_rows(study):
        found.append(_priors(trained))
    if study.choices:
        found.append(_tuning(study))
    if run["strategies"]:
        records, jobs = _strategies(study)
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
        **_of_records(records, trained_by(study)),
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
        {"records": [row["cost"] for row in trained], **_csv("diversity")},
        {"rows": trained},
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
        **_of_records(records, tuned_by(study, cells)),
    )


def _guidance(study: Study) -> Item:
    cells = [cell for cell in study.cells if study.methods[cell.method].denoises]
    return _table(
        "guidance",
        "guidance:guidance_table",
        "Guidance weights as applied",
        params={"cells": [cell.row for cell in cells]},
        **_of_records(rows.sample_records(study, cells), sampled_by(study, cells)),
    )


def _strategies(study: Study) -> tuple[list[rows.Expected], list[str]]:
    """The records of the strategies' measures, and those of the jobs that write them."""
    datasets = study.run["datasets"]
    jobs = [paths.batch("strategies", dataset, "all") for dataset in datasets]
    return rows.strategies_records(study, datasets), jobs


def _leaderboard(study: Study) -> Item:
    suffixes = {"table": "csv", "markdown": "md", "latex": "tex", "page": "html"}
    return Item(
        "tables/leaderboard",
        "lighthouse.report.pages:leaderboard",
        {
            **_csv("accuracy", "significance", "diversity", "fid", "cost"),
            "published": str(study.table_path("published")),
        },
        {name: [paths.table("leaderboard", suffix)] for name, suffix in suffixes.items()},
        {
            "specs": rows.leaderboard_specs(study),
            "students": study.run["students"],
            "base": study.run["comparisons"]["base"],
            "alpha": study.run["comparisons"]["alpha"],
        },
        {"table": "Leaderboard"},
        FIRST,
        "leaderboard",
    )


def _claims(study: Study) -> Item:
    suffixes = {"table": "csv", "markdown": "md", "page": "html"}
    return Item(
        "tables/claims",
        "lighthouse.report.claims:claims_table",
        _csv(*dict.fromkeys(measure.table for measure in MEASURES.values())),
        {name: [paths.table("claims", suffix)] for name, suffix in suffixes.items()},
        {"rows": claim_rows(study), "alpha": study.run["comparisons"]["alpha"]},
        {"table": "Claims"},
        FIRST,
        "claims",
    )


def _figure(
    name: str,
    maker: str,
    label: str,
    inputs: Inputs,
    params: Mapping,
    caption: str | None = None,
    also: Iterable[str] = (),
    **more: object,
) -> Item:
    """A figure as PDF and PNG, with the data that it shows. also: further data."""
    outputs = {
        "figure": [paths.figure(name, suffix) for suffix in ("pdf", "png")],
        "data": [paths.figure(name, "csv")],
        **{other: [paths.figure(f"{name}_{other}", "csv")] for other in also},
    }
    place, maker, labels = f"figures/{name}", f"lighthouse.report.{maker}", {"figure": label}
    return Item(place, maker, inputs, outputs, params, labels, SECOND, caption or name, **more)


def _figures(study: Study) -> list[Item]:
    run, sweep = study.run, study.run["sweep"]
    looks = {"methods": rows.method_looks(study)}
    found = [
        _figure(
            "accuracy_vs_ipc",
            "curve_figures:accuracy_vs_ipc",
            "Accuracy against images per class",
            _csv("leaderboard"),
            looks,
        ),
        _figure(
            "accuracy_vs_cost",
            "curve_figures:accuracy_vs_cost",
            "Accuracy against seconds per image",
            _csv("leaderboard", "cost"),
            looks,
        ),
    ]
    looked = [row for row in rows.prior_rows(study) if row["looks"]]
    if looked:
        records = {"records": [row["cost"] for row in looked]}
        found.append(
            _figure(
                "prior_loss",
                "prior_loss:prior_loss",
                "Held-out loss of the base priors",
                records,
                {"rows": looked},
            )
        )
    if run["strategies"]:
        found.append(_strategies_figure(study))
    if set(study.swept) - {"eta_dpp"}:
        title = f"{study.methods[sweep['method']].label}, {sweep['ipc']} images per class"
        found += [
            _figure(
                "sensitivity",
                "curve_figures:sensitivity",
                "Sensitivity to each number that is varied",
                _csv("runs", "diversity"),
                {
                    "title": title,
                    "points": rows.sweep_points(study),
                    "labels": rows.swept_labels(study),
                },
            )
        ]
    curves = rows.spectra(study)
    found += [
        _figure(
            "spectrum",
            "figures:spectrum",
            "Spectrum of deep features",
            params={
                "names": [record.row for record in curves],
                "sources": list(study.spectrum_sources.values()),
            },
            **_of_records(curves, measured_by(study, rows.spectrum_cells(study))),
        ),
        *(_samples_sheet(study, dataset) for dataset in run["datasets"]),
    ]
    if "eta_dpp" in study.swept:
        points = [point for point in rows.sweep_points(study) if point["factor"] == "eta_dpp"]
        cells = [c for d in run["datasets"] for c in study.sweep_cells(d, "eta_dpp")]
        found += [
            _figure(
                "ssim_vs_eta_dpp",
                "curve_figures:ssim_vs_eta_dpp",
                "SSIM against the DPP weight",
                params={"points": points, "title": f"{sweep['method']}, IPC {sweep['ipc']}"},
                caption="ssim",
                **_of_records(rows.set_records(study, cells), measured_by(study, cells)),
            ),
            *(_diversity_sheet(study, dataset) for dataset in run["datasets"]),
        ]
    return found


def _strategies_figure(study: Study) -> Item:
    records, jobs = _strategies(study)
    datasets, beside = study.run["datasets"], study.run["strategies"]["beside"]
    images = [paths.strategies_images(dataset) for dataset in datasets]
    of_records = _of_records(records, jobs)
    stamps = {path: record.stamp for path, record in zip(images, records, strict=True)}
    return _figure(
        "strategies",
        "strategies_figure:strategies",
        "Joint against sequential sampling",
        {**of_records["inputs"], "images": images},
        {"datasets": datasets, "labels": {name: study.methods[name].label for name in beside}},
        also=["map"],
        stamps={**of_records["stamps"], **stamps},
        jobs=jobs,
    )


def _sheet(
    name: str, dataset: str, label: str, study: Study, cells: Sequence[Cell], params: Mapping
) -> Item:
    """A sheet of images, a row a cell."""
    samples = rows.sample_records(study, cells)
    images = [str(Path(sample.path).with_name(paths.IMAGES)) for sample in samples]
    return Item(
        f"figures/{name}/{dataset}",
        "lighthouse.report.contact_sheets:contact_sheet",
        {"images": images},
        {"figure": [paths.figure(f"{name}/{dataset}", "png")]},
        params,
        {"figure": label},
        SECOND,
        name,
        stamps={path: sample.stamp for path, sample in zip(images, samples, strict=True)},
        jobs=sampled_by(study, cells),
    )


def _samples_sheet(study: Study, dataset: str) -> Item:
    cells = rows.largest_cells(study, dataset)
    labels = [
        study.methods[cell.method].label + (f", IPC {cell.ipc}" if cell.ipc == 1 else "")
        for cell in cells
    ]
    params = {"labels": labels, "seeds": study.set_seeds[:1], "classes": [], "columns": 2}
    return _sheet("samples", dataset, f"Images of each method, {dataset}", study, cells, params)


def _diversity_sheet(study: Study, dataset: str) -> Item:
    points, sweep = study.sweep_points(dataset, "eta_dpp"), study.run["sweep"]
    params = {
        "labels": [f"η_DPP = {value:g}" for value in points],
        "seeds": study.set_seeds,
        "classes": [sweep["shown_class"]],
        "columns": sweep["ipc"],
    }
    label = f"One class of {dataset} at each DPP weight"
    return _sheet("diversity_grid", dataset, label, study, list(points.values()), params)
