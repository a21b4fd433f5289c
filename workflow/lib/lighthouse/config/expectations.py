"""What a finished study must show, from the grid and the config alone: the audit's other side."""

from lighthouse.config import rows
from lighthouse.config.candidates import SCALE
from lighthouse.config.claims import claim_rows
from lighthouse.config.grid import Cell
from lighthouse.config.labels import scored_labels
from lighthouse.config.prior_check import checked
from lighthouse.config.study import Study
from lighthouse.couplings import COUPLINGS
from lighthouse.parts.terms import TERMS, named
from lighthouse.steps import TRAIN_STEPS, respaced


def expectations(study: Study) -> dict:
    """The cells, trainings and comparisons of a study, and the options that bound its numbers.

    Cells are rows (``Cell.row``), so that all of it is JSON. ``trainings``: a row for each
    cell, student and protocol, with the sampling ``seeds`` and ``student_seeds`` that it has.
    ``replicates``: pairs of each set's sampling seed and its replicate.
    ``main``, ``tables``, ``sampled``, ``undenoised``, ``all``: the cells of the leaderboard, those
    at the hyperparameter table's weights, those that a diffusion model samples (with the weights
    of their terms, None where these are tuned, whether one goes back through the sampler's own
    passes of the denoiser, how many passes an image takes for ``terms`` at most, how many ``steps``
    it takes and at which guidance ``scale``, None where this is chosen, and how many are
    ``sampled`` for each that is kept),
    those that are made here without one, and every one;
    ``replicated``: of ``tables`` those that are sampled, or settled, replicate by replicate.
    ``candidates``: of all choices, with the factors and weights of each. ``priors``: all that are
    trained, each with its replicate and the cell that shows it.
    ``claims``: each on each dataset, with what names the rows of tables that it is about.
    ``choices``: the rows of the table of recommendations. ``labels``: what the label-robust score
    compares the leaderboard's rows with.
    ``terms``: the declared guidance terms, with the columns of their weights.
    ``prior_check``: the options of that check, and the ``datasets`` that have one.
    ``sweep``, ``strategies``, ``spectrum_ipc`` and ``prior_check`` are None where the study has
    none.
    """
    run, datasets = study.run, study.run["datasets"]
    return {
        "seeds": study.set_seeds,
        "replicates": [list(pair) for pair in study.replicate_of.items()],
        "students": run["students"],
        "protocols": run["protocols"],
        "base": run["comparisons"]["base"],
        "pairs": run["comparisons"]["pairs"],
        "alpha": run["comparisons"]["alpha"],
        "classes": {dataset: study.n_classes(dataset) for dataset in datasets},
        "image_sizes": {row["dataset"]: row["image_size"] for row in rows.autoencoder_rows(study)},
        "epsilon": study.config["guidance"]["dpp"]["epsilon"],
        "ssim_pairs": study.config["metrics"]["ssim_pairs"],
        "terms": [
            {"name": term.name, "column": term.column, "grows": term.grows}
            for term in TERMS.values()
        ],
        "trainings": rows.trainings(study),
        "leaderboard": rows.leaderboard_specs(study),
        "labels": scored_labels(study),
        "choices": [record.row for record in rows.board_records(study)],
        "main": [cell.row for cell in study.main_cells],
        "tables": [cell.row for cell in study.table_cells],
        "sampled": [
            {
                **cell.row,
                "weights": study.term_weights(cell),
                "back": _goes_back(study, cell),
                "terms": _passes_of_terms(study, cell),
                "steps": len(_steps(study, cell)),
                "scale": study.sampler(cell)[SCALE],
                "sampled": study.sampled_for_each(cell),
            }
            for cell in study.cells
            if study.methods[cell.method].denoises
        ],
        "undenoised": [
            cell.row
            for cell in study.cells
            if not (study.methods[cell.method].denoises or study.methods[cell.method].external)
        ],
        "replicated": [
            cell.row for cell in study.table_cells if study.methods[cell.method].prior is not None
        ],
        "all": [cell.row for cell in study.cells],
        "candidates": rows.candidates(study),
        "priors": [
            {name: row[name] for name in ("dataset", "prior", "replicate", "sampled")}
            for row in rows.prior_rows(study)
        ],
        "prior_check": run["prior_check"] and {**run["prior_check"], "datasets": checked(study)},
        "claims": claim_rows(study),
        "ablation": rows.ablation_specs(study),
        "ablation_students": run["ablation"]["students"] if run["ablation"] else [],
        "spectra": [record.row for record in rows.spectra(study)],
        "spectrum_ipc": run["spectrum"]["ipc"] if run["spectrum"] else None,
        "sweep": _sweep(study),
        "strategies": _strategies(study),
    }


def _goes_back(study: Study, cell: Cell) -> bool:
    return any(term.through_denoiser for term in named(study.methods[cell.method].guidance))


def _passes_of_terms(study: Study, cell: Cell) -> float:
    """Passes of the denoiser that terms take themselves, by image and at most."""
    method, passes = study.methods[cell.method], 0.0
    together = cell.ipc / len(COUPLINGS[method.coupling](cell.ipc))
    for term in named(method.guidance):
        options = study.config["guidance"][term.name]
        first, last = options["steps"]
        guided = sum(first <= t < last for t in _steps(study, cell))
        passes += guided * term.passes(options, together)
    return passes


def _steps(study: Study, cell: Cell) -> list[int]:
    sampler = study.sampler(cell)
    first = sampler.get("start_step", TRAIN_STEPS)
    return [t for t in respaced(sampler["steps"]) if t < first]


def _sweep(study: Study) -> dict | None:
    sweep = study.run["sweep"]
    if not sweep:
        return None
    return {
        **{name: sweep[name] for name in ("method", "ipc", "students")},
        "points": rows.sweep_points(study),
    }


def _strategies(study: Study) -> dict | None:
    """The size of the strategies' sets, the methods beside them, and each one's cell by dataset."""
    options = study.run["strategies"]
    if not options:
        return None
    cells = {
        dataset: {name: cell.row for name, cell in rows.strategies(study, dataset).items()}
        for dataset in study.run["datasets"]
    }
    return {"ipc": options["ipc"], "beside": options["beside"], "cells": cells}
