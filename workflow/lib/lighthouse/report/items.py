"""Every table and figure of a study: what makes it, of what, and where it goes.

The Snakefile reads this at each start: a maker is named here, and imported by ``making`` alone.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lighthouse.config import rows
from lighthouse.config.grid import Cell
from lighthouse.config.study import Study
from lighthouse.report.cost import paths_of

LIBRARY = Path(__file__).resolve().parents[2]
TEMPLATES = Path(__file__).parent / "templates"
#: Categories of the report. The first of them is its first page's.
FIRST, SECOND, THIRD = "1 Leaderboard", "2 Figures", "3 Tables"

#: What an item reads, by the name that its maker knows it by: a file, or several. Without a
#: file it cannot be made; of several it does with those that are there.
Inputs = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Item:
    """One table or figure, with what belongs to it.

    place: its outputs' path below ``results/``, without a suffix; logs and benchmarks mirror
    it. maker: ``module:function``, a function of ``inputs``, as ``records.load``
    gives them, and of ``params``, by their names. It returns what it made by the names of
    ``outputs``, each of which is written to one or more files, by their suffixes. stamps: the
    digest of its parameters that a record must carry to be taken, by path; one without is
    taken as it is.

    In the report: ``labels`` that it is listed under, empty of what is not shown, the
    ``category`` that lists it, and the ``caption`` beside it, a file of ``workflow/report``.
    """

    place: str
    maker: str
    inputs: Inputs
    outputs: Mapping[str, Sequence[str]]
    params: Mapping
    labels: Mapping[str, str] = field(default_factory=dict)
    category: str = ""
    caption: str = ""
    stamps: Mapping[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Name of the rule: ``table_accuracy``, ``figure_samples_digits``."""
        words = self.place.replace("-", "_").split("/")
        return "_".join([words[0].removesuffix("s"), *words[1:]])

    @property
    def reads(self) -> list[str]:
        """Paths of all inputs."""
        return [path for given in self.inputs.values() for path in several(given)]

    @property
    def paths(self) -> list[str]:
        """Paths of all outputs."""
        return [path for paths in self.outputs.values() for path in paths]

    @property
    def shown(self) -> str | None:
        """The output that the report shows: the page of a table, the picture of a figure."""
        return next((p for p in self.paths if p.endswith((".html", ".png"))), None)

    @property
    def code(self) -> str:
        """The maker's module."""
        return str(LIBRARY.joinpath(*self.maker.partition(":")[0].split(".")).with_suffix(".py"))

    @property
    def work(self) -> dict:
        """What ``making.make`` needs to know, as JSON has it."""
        names = ("place", "maker", "inputs", "outputs", "params", "stamps")
        return {name: getattr(self, name) for name in names}


def several(given: str | Sequence[str]) -> list[str]:
    """One path or several, as a list."""
    return [given] if isinstance(given, str) else list(given)


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
        {"record": ["results/study.json"]},
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
) -> Item:
    """A table as CSV and as a page. before: other tables of the same maker."""
    outputs = {other: [f"results/tables/{other}.csv"] for other in before}
    outputs["table"] = [f"results/tables/{name}.{suffix}" for suffix in ("csv", "html")]
    place, maker, labels = f"tables/{name}", f"lighthouse.report.{maker}", {"table": label}
    return Item(place, maker, inputs, outputs, params, labels, THIRD, caption or name)


def _joined(name: str, label: str, files: Sequence[tuple[str, dict]], caption: str = "") -> Item:
    """A table of the rows of several files, each with what names them."""
    paths, named = zip(*files, strict=True) if files else ((), ())
    inputs, params = {"parts": list(paths)}, {"names": list(named)}
    return _table(name, "tables:joined", label, inputs, params, caption)


def _csv(*names: str) -> dict[str, str]:
    """Finished tables as inputs."""
    return {name: f"results/tables/{name}.csv" for name in names}


def _tables(study: Study) -> list[Item]:
    run, compared = study.run, study.run["comparisons"]
    records, costs = rows.student_records(study), rows.cost_rows(study)
    cost_records = sorted({path for row in costs for path in paths_of(row)})
    sampled = [cell for cell in study.cells if study.methods[cell.method].prior]
    found = [
        _leaderboard(study),
        _table(
            "accuracy",
            "accuracy:accuracy_tables",
            "Student accuracy",
            {"records": [path for path, _ in records]},
            {"rows": [row for _, row in records]},
            before=["runs"],
        ),
        _table(
            "significance",
            "significance:significance_table",
            "Paired comparisons",
            _csv("runs"),
            {
                "cells": [cell.row for cell in study.main_cells],
                **{name: compared[name] for name in ("base", "pairs", "alpha")},
            },
        ),
        _table(
            "cost",
            "cost:cost_table",
            "Cost",
            {"records": cost_records},
            {"rows": costs, "paths": cost_records},
        ),
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
    found += [
        _joined("diversity", "Diversity and set utility", rows.set_metrics(study, "diversity")),
        _joined("fid", "Fréchet distance", rows.set_metrics(study, "frechet")),
        _joined("spectrum", "Singular values", rows.spectra(study, "spectrum"), "spectrum_values"),
        _joined(
            "spectrum_ranks", "Effective and stable rank", rows.spectra(study, "spectrum_ranks")
        ),
        _table(
            "guidance",
            "guidance:guidance_table",
            "Guidance weights as applied",
            {"latents": [_samples(study, cell, "latents") for cell in sampled]},
            {"cells": [cell.row for cell in sampled]},
        ),
    ]
    if run["lighthouse"]:
        tests = [
            (f"results/metrics/lighthouse_test/{dataset}.csv", {"dataset": dataset})
            for dataset in run["datasets"]
        ]
        found += [_joined("lighthouse", "Joint against sequential sampling", tests)]
    return found


def _leaderboard(study: Study) -> Item:
    suffixes = {"table": "csv", "markdown": "md", "latex": "tex", "page": "html"}
    return Item(
        "tables/leaderboard",
        "lighthouse.report.pages:leaderboard",
        {
            **_csv("accuracy", "significance", "diversity", "fid", "cost"),
            "published": str(study.table_path("published")),
        },
        {name: [f"results/tables/leaderboard.{suffix}"] for name, suffix in suffixes.items()},
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


def _figure(
    name: str,
    maker: str,
    label: str,
    inputs: Inputs,
    params: Mapping,
    caption: str | None = None,
    also: Iterable[str] = (),
) -> Item:
    """A figure as PDF and PNG, with the data that it shows. also: further data."""
    outputs = {
        "figure": [f"results/figures/{name}.{suffix}" for suffix in ("pdf", "png")],
        "data": [f"results/figures/{name}.csv"],
        **{more: [f"results/figures/{name}_{more}.csv"] for more in also},
    }
    place, maker, labels = f"figures/{name}", f"lighthouse.report.{maker}", {"figure": label}
    return Item(place, maker, inputs, outputs, params, labels, SECOND, caption or name)


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
    if run["lighthouse"]:
        kinds = {"measures": "lighthouse", "maps": "lighthouse_map", "tests": "lighthouse_test"}
        inputs = {
            name: [f"results/metrics/{kind}/{dataset}.csv" for dataset in run["datasets"]]
            for name, kind in kinds.items()
        }
        found += [
            _figure(
                "lighthouse",
                "lighthouse_figure:lighthouse",
                "Joint against sequential sampling",
                inputs,
                {"datasets": run["datasets"]},
                also=["map"],
            )
        ]
    if sweep and (sweep["lambda"] or sweep["mu_dm"]):
        found += [
            _figure(
                "sensitivity",
                "curve_figures:sensitivity",
                "Sensitivity to λ, η_DPP and μ_DM",
                _csv("runs", "diversity"),
                {"label": study.methods[sweep["method"]].label, **_swept(study)},
            )
        ]
    spectra = rows.spectra(study, "spectrum")
    found += [
        _figure(
            "spectrum",
            "figures:spectrum",
            "Spectrum of deep features",
            {"parts": [path for path, _ in spectra]},
            {
                "names": [row for _, row in spectra],
                "sources": list(study.spectrum_sources.values()),
            },
        ),
        *(_samples_sheet(study, dataset) for dataset in run["datasets"]),
    ]
    if sweep:
        parts = [
            f"results/metrics/diversity/{dataset}/{sweep['method']}.csv"
            for dataset in run["datasets"]
        ]
        found += [
            _figure(
                "ssim_vs_eta_dpp",
                "curve_figures:ssim_vs_eta_dpp",
                "SSIM against the DPP weight",
                {"parts": parts},
                {"datasets": run["datasets"], **_swept(study)},
                "ssim",
            ),
            *(_diversity_sheet(study, dataset) for dataset in run["datasets"]),
        ]
    return found


def _swept(study: Study) -> dict:
    """Of what a sweep is, and over which values."""
    sweep = study.run["sweep"]
    return {
        "method": sweep["method"],
        "ipc": sweep["ipc"],
        "sweeps": rows.swept_values(study),
        "table": rows.table_values(study),
    }


def _sheet(
    name: str, dataset: str, label: str, study: Study, cells: Sequence[Cell], params: Mapping
) -> Item:
    """A sheet of images, a row a cell."""
    return Item(
        f"figures/{name}/{dataset}",
        "lighthouse.report.contact_sheets:contact_sheet",
        {"images": [_samples(study, cell, "images") for cell in cells]},
        {"figure": [f"results/figures/{name}/{dataset}.png"]},
        params,
        {"figure": label},
        SECOND,
        name,
    )


def _samples_sheet(study: Study, dataset: str) -> Item:
    cells = rows.largest_cells(study, dataset)
    labels = [
        study.methods[cell.method].label + (f", IPC {cell.ipc}" if cell.ipc == 1 else "")
        for cell in cells
    ]
    params = {"labels": labels, "seeds": study.run["seeds"][:1], "classes": [], "columns": 2}
    return _sheet("samples", dataset, f"Images of each method, {dataset}", study, cells, params)


def _diversity_sheet(study: Study, dataset: str) -> Item:
    cells, sweep = study.sweep_cells(dataset), study.run["sweep"]
    params = {
        "labels": [f"η_DPP = {cell.eta_dpp:g}" for cell in cells],
        "seeds": study.run["seeds"],
        "classes": [sweep["shown_class"]],
        "columns": sweep["ipc"],
    }
    label = f"One class of {dataset} at each DPP weight"
    return _sheet("diversity_grid", dataset, label, study, cells, params)


def _samples(study: Study, cell: Cell, kind: str) -> str:
    """The file of a cell's ``images`` or ``latents``."""
    return f"results/samples/{study.source(cell).path}/{kind}.safetensors"
