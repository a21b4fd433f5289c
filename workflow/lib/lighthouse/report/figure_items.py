"""Every figure of a study: what makes it, of what, and where it goes."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lighthouse.config import paths, rows
from lighthouse.config.batches import measured_by, sampled_by
from lighthouse.config.grid import Cell
from lighthouse.config.origins import method_looks
from lighthouse.config.prior_check import checked, seeds
from lighthouse.config.study import Study
from lighthouse.report.item import Inputs, Item
from lighthouse.report.item_inputs import SECOND, finished, of_records, strategies


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


def figures(study: Study) -> list[Item]:
    run, sweep = study.run, study.run["sweep"]
    looks = {"methods": method_looks(study)}
    found = [
        _figure(
            "accuracy_vs_ipc",
            "curve_figures:accuracy_vs_ipc",
            "Accuracy against images per class",
            finished("leaderboard"),
            looks,
        ),
        _figure(
            "accuracy_vs_cost",
            "curve_figures:accuracy_vs_cost",
            "Accuracy against seconds per image",
            finished("leaderboard", "cost"),
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
                finished("runs", "diversity"),
                {
                    "title": title,
                    "points": rows.sweep_points(study),
                    "labels": rows.swept_labels(study),
                },
            )
        ]
    if curves := rows.spectra(study):
        found.append(
            _figure(
                "spectrum",
                "figures:spectrum",
                "Spectrum of deep features",
                params={
                    "names": [record.row for record in curves],
                    "sources": list(study.spectrum_sources.values()),
                },
                **of_records(curves, measured_by(study, rows.spectrum_cells(study))),
            )
        )
    found += [
        _samples_sheet(study, dataset)
        for dataset in run["datasets"]
        if rows.shown_cells(study, dataset)
    ]
    for dataset in checked(study):
        found += _prior_sheets(study, dataset)
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
                **of_records(rows.set_records(study, cells), measured_by(study, cells)),
            ),
            *(_diversity_sheet(study, dataset) for dataset in run["datasets"]),
        ]
    return found


def _strategies_figure(study: Study) -> Item:
    records, jobs = strategies(study)
    datasets, beside = study.run["datasets"], study.run["strategies"]["beside"]
    coresets = [name for name in beside if study.methods[name].coreset is not None]
    images = [paths.strategies_images(dataset) for dataset in datasets]
    taken = of_records(records, jobs)
    stamps = {path: record.stamp for path, record in zip(images, records, strict=True)}
    return _figure(
        "strategies",
        "strategies_figure:strategies",
        "Joint against sequential sampling",
        {**taken["inputs"], "images": images},
        {
            "datasets": datasets,
            "labels": {name: study.methods[name].label for name in beside},
            "hidden": [] if study.run["pictures"]["real"] else ["real", *coresets],
        },
        also=["map"],
        stamps={**taken["stamps"], **stamps},
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
    cells = rows.shown_cells(study, dataset)
    labels = [
        study.methods[cell.method].label + (f", IPC {cell.ipc}" if cell.ipc == 1 else "")
        for cell in cells
    ]
    columns = study.run["pictures"]["columns"]
    params = {"labels": labels, "seeds": study.set_seeds[:1], "classes": [], "columns": columns}
    return _sheet("samples", dataset, f"Images of each method, {dataset}", study, cells, params)


#: Of figures that are to be seen while a study is still at work.
EARLY = 130
#: Sets that the base prior is judged by, and what a sheet calls them.
JUDGED_BY = {"real": "Real", "reconstructed": "Reconstructed", "sampled": "Base prior"}


def _prior_sheets(study: Study, dataset: str) -> list[Item]:
    """Real images with their reconstructions, and behind the first training the prior's, too.

    Without `run.pictures.real` the prior's alone: a reconstruction is a real image, nearly.
    """
    real = study.run["pictures"]["real"]
    told = {
        "reconstructions": (list(JUDGED_BY)[:2] if real else [], "What the autoencoder gives back"),
        "prior": (list(JUDGED_BY) if real else ["sampled"], "Images of the base prior"),
    }
    params = {
        "seeds": seeds(study)[:1],
        "classes": [],
        "columns": study.run["pictures"]["columns"],
    }
    return [
        Item(
            f"figures/{name}/{dataset}",
            "lighthouse.report.contact_sheets:contact_sheet",
            {"images": [paths.prior_images(dataset, kind) for kind in kinds]},
            {"figure": [paths.figure(f"{name}/{dataset}", "png")]},
            {"labels": [JUDGED_BY[kind] for kind in kinds], **params},
            {"figure": f"{label}, {dataset}"},
            SECOND,
            f"{name}_sheet",
            priority=EARLY,
        )
        for name, (kinds, label) in told.items()
        if kinds
    ]


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
