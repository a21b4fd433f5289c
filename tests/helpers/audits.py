"""Tables and pages of an invented study, by their real makers: what an audit finds nothing in."""

import copy
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import yaml
from snakemake.utils import update_config

from lighthouse.config import rows
from lighthouse.config.expectations import expectations
from lighthouse.config.load import load_study
from lighthouse.metrics.frechet import Reference, distance_row
from lighthouse.metrics.lighthouse import claims
from lighthouse.metrics.sets import distinct_sets
from lighthouse.metrics.spectrum import rank_row, singular_values, value_rows
from lighthouse.report.audit.checks import read_results
from lighthouse.report.cost import paths_of
from lighthouse.report.curves import along, at_ipc, by_cost, by_ipc, sweep_rows
from lighthouse.report.figures import band
from lighthouse.report.items import items
from lighthouse.report.lighthouse_figure import seed_points
from lighthouse.report.making import maker, write
from lighthouse.report.tables import write_text
from lighthouse.runtime.files import write_arrays
from lighthouse.tables import read_rows, write_rows
from lighthouse.units import applied_weights
from repository import ROOT
from shipped import SHIPPED

DIM, CLASSES, REAL, REAL_SHOWN = 12, 10, 60, 10
#: A set made elsewhere, and more student seeds than a cell of the ablation has.
MORE = {
    "run": {"student_seeds": [0, 1]},
    "external": {"theirs": {"dataset": "digits", "root": "x", "ipc": 2, "label": "Theirs"}},
}
PUBLISHED = [
    ("rsm", 1, 66.0, "another", "B & co"),
    ("rsm", 1, 67.0, "digits", "A"),
    ("dit-igd", 2, 68.25, "another", "B & co"),
    ("DM", 2, 13.0, "digits", "A"),
]


#: As little as a study can have.
LESS = {
    "run": {
        "comparisons": {"pairs": []},
        "ablation": None,
        "sweep": None,
        "lighthouse": None,
        "ceiling": False,
    }
}


def invented_study(more=MORE):
    """The tiny study of the tests with more, or less, of what a study can have."""
    config = copy.deepcopy(SHIPPED)
    tiny = yaml.safe_load((ROOT / "tests" / "configs" / "tiny.yaml").read_text("utf-8"))
    for change in (tiny, more):
        update_config(config, change)
    return load_study(config, ROOT)


def rng(*words):
    """A generator that depends on words alone."""
    return np.random.default_rng(list("|".join(map(str, words)).encode()))


class Invented:
    """A folder ``results`` of an invented study, with what is expected of it.

    failed: methods whose sampling failed.
    """

    def __init__(self, folder: Path, failed=(), more=MORE):
        self.study, self.failed = invented_study(more), failed
        self.results = folder / "results"
        self.items = {item.place: item for item in items(self.study)}
        self.grid = expectations(self.study)
        for spec in self.grid["leaderboard"]:
            spec["published_as"] = "family"
        self.published = str(folder / "published.tsv")
        self._list_published()
        self.images = [folder / "samples" / f"{i}.safetensors" for i in range(len(self.cells))]
        self._samples()
        self._students()
        self._sets()
        self._spectra()
        if self.grid["lighthouse"]:
            self._lighthouse()
        self._cost()
        self._leaderboard()
        self._figures()

    @property
    def cells(self):
        return self.grid["tables"]

    def read(self):
        """The results as the audit's rule reads them."""
        kept = ("tables", "figures", "metrics/lighthouse")
        paths = [str(path) for name in kept for path in sorted((self.results / name).glob("*.*"))]
        return read_results(paths, self.published, self.cells, list(map(str, self.images)))

    def make(self, name, **given):
        """Make a table by its maker, of what is given: its inputs, and params of another value."""
        item = self.items[f"tables/{name}"]
        made = maker(item.work)(**{**item.params, **given})
        for output, paths in item.outputs.items():
            write(made[output], [self.results.parent / path for path in paths])

    def write(self, name, table, columns=()):
        write_rows(self.results / name, table, columns)

    def table(self, name):
        return read_rows(self.results / "tables" / f"{name}.csv")

    def frame(self, name):
        return pd.read_csv(self.results / "tables" / f"{name}.csv")

    def _list_published(self):
        lines = ["dataset\tstudent\tprotocol\tmethod\tipc\ttop1\tstd\tsource"]
        lines += [
            f"family\tconvnet2\t{protocol}\t{method}\t{ipc}\t{top1}\t0.5\t{source}"
            for method, ipc, top1, protocol, source in PUBLISHED
        ]
        write_text(self.published, "\n".join(lines) + "\n")

    def _samples(self):
        for cell, path in zip(self.cells, self.images, strict=True):
            same = cell["method"] == "herding"
            shape = (CLASSES, cell["ipc"], 3, 4, 4)
            sets = {
                f"seed~{seed}": rng(*cell.values(), 0 if same else seed)
                .integers(0, 256, shape)
                .astype(np.uint8)
                for seed in self.grid["seeds"]
            }
            if cell["method"] == "theirs":  # one image stands in the sets of both seeds
                sets["seed~1"][0, 0] = sets["seed~0"][0, 0]
            path.parent.mkdir(exist_ok=True)
            if cell["method"] in self.failed:
                continue
            write_arrays(path, sets, {"classes": [str(k) for k in range(CLASSES)]})

    def _students(self):
        records = []
        for training in self.grid["trainings"]:
            random = rng(*training.values())
            level = random.uniform(0.3, 0.9)
            runs = [
                {
                    "seed": seed,
                    "student_seed": student,
                    "last": random.integers(500 * level - 20, 500 * level + 20) / 500,
                    "best": random.integers(500 * level, 500 * level + 20) / 500,
                }
                for seed in training["seeds"]
                for student in training["student_seeds"]
            ]
            failed = training["method"] in self.failed
            records.append(None if failed else {"runs": runs, "best_chosen_on": "val"})
        self.make("accuracy", records=records)
        self.make("significance", runs=self.table("runs"))

    def log_dets(self, cell, seed):
        """log det of each class of a set, (10,)."""
        return rng("volume", *cell.values(), seed).uniform(-5, 0, CLASSES)

    def _sets(self):
        table = [self._diversity(cell, seed) for cell in self.grid["all"] for seed in (0, 1)]
        self._concatenated("diversity", table)
        table = []
        reference = Reference(rng("real").normal(size=(REAL, DIM)))
        for cell, path in zip(self.cells, self.images, strict=True):
            if cell["method"] in self.failed:
                continue
            sets = [
                (rng(*cell.values(), seed).normal(size=(CLASSES * cell["ipc"], DIM)), digests)
                for seed, digests in distinct_sets(path, self.grid["seeds"], cell["ipc"]).items()
            ]
            table.append(distance_row(cell, "a network", reference, sets))
        self._concatenated("frechet", table, "fid")
        self.make("guidance", latents=[self._latents(cell) for cell in self.grid["sampled"]])
        if self.grid["ablation"]:
            self.make("ablation", runs=self.table("runs"), diversity=self.table("diversity"))

    def _concatenated(self, kind, table, name=None):
        """Write a table of a part a method; that of a failed one is missing."""
        parts = [
            None
            if row["method"] in self.failed
            else [one for one in table if one["method"] == row["method"]]
            for _, row in rows.set_metrics(self.study, kind)
        ]
        self.make(name or kind, parts=parts)

    def _diversity(self, cell, seed):
        n, random = cell["ipc"], rng("diversity", *cell.values(), seed)
        shares = dict(zip(("coverage", "precision", "recall"), random.random(3), strict=True))
        return {
            **cell,
            "seed": seed,
            "ssim": random.uniform(-1, 1) if n > 1 else float("nan"),
            "n_pairs": n * (n - 1) // 2,
            "log_det": self.log_dets(cell, seed).mean() if n > 1 else np.log(1.001),
            **shares,
            "density": random.uniform(0, 2),
        }

    def _latents(self, cell):
        """The samples of a cell, of which the header alone is read."""
        if cell["method"] in self.failed:
            return None
        weights = cell["weights"]
        applied = applied_weights(weights, 64)
        about = {"options": {"weights": weights, "applied_weights": applied, "latent_dim": 64}}
        return SimpleNamespace(about=about)

    def _spectra(self):
        values, ranks = [], []
        for source in self.grid["spectra"]:
            for seed in self.grid["seeds"]:
                n = CLASSES * self.grid["spectrum_ipc"]
                sigma = singular_values(rng(*source.values(), seed).normal(size=(n, DIM)))
                named = {**source, "seed": seed}
                values += value_rows(named, sigma)
                ranks.append(rank_row({**named, "n": n}, sigma))
        for name, table in (("spectrum", values), ("spectrum_ranks", ranks)):
            self.write(f"tables/{name}.csv", [{**row, "status": "measured"} for row in table])

    def _lighthouse(self):
        table = []
        for dataset, cells in self.grid["lighthouse"]["cells"].items():
            for label in range(CLASSES):
                place = {"dataset": dataset, "ipc": 2}
                table += [
                    self._lit(place, strategy, "", seed, label, self.log_dets(cell, seed)[label])
                    for strategy, cell in cells.items()
                    for seed in self.grid["seeds"]
                ]
                table += [
                    self._lit(place, pick, measure, "", label, rng(pick, label).uniform(-5, 0))
                    for pick in ("best of random", "greedy subset", "greedy and swaps")
                    for measure in ("log_det", "coverage")
                ]
        self.write("metrics/lighthouse/digits.csv", table)
        tests = [{**row, "status": "measured"} for row in claims("digits", table)]
        self.write("tables/lighthouse.csv", tests)

    def _map(self, measures):
        """Ten real images of one class, of which as many are lit as the sets of seed 0 cover."""
        chosen = measures[(measures["class"] == 3) & (measures.seed == 0)]
        lights = chosen.set_index("strategy").coverage * REAL_SHOWN
        place = {"dataset": "digits", "panel": "class", "class": 3, "share": 0.5}
        real = [
            {
                **{**place, "kind": "real", "index": i, "x": 0.0, "y": 0.0},
                "lit_by": "+".join(s for s in ("sequential", "joint") if i < round(lights[s])),
            }
            for i in range(REAL_SHOWN)
        ]
        sets = [
            {**real[0], "kind": strategy, "index": i, "lit_by": ""}
            for strategy in ("sequential", "joint")
            for i in range(2)
        ]
        return pd.DataFrame([*real, *sets])

    def _lit(self, place, strategy, chosen_by, seed, label, volume):
        names = {"strategy": strategy, "chosen_by": chosen_by, "seed": seed, "class": label}
        light = rng("light", strategy, chosen_by, seed, label).integers(REAL_SHOWN + 1) / REAL_SHOWN
        return {**place, **names, "log_det": volume, "coverage": light}

    def _cost(self):
        specs = rows.cost_rows(self.study)
        records = {}
        for spec in specs:
            for path in paths_of(spec) if spec["method"] not in self.failed else ():
                records[path] = {
                    "seconds": rng(path).uniform(1, 9),
                    "peak_host_bytes": 2**29,
                    "peak_device_bytes": None,
                    "device": "cpu",
                    "threads": 1,
                    "trainable_parameters": 7,
                    "images": 2 * CLASSES * 2,
                }
                if "/samples/" in path and not {"random", "herding"} & set(path.split("/")):
                    work = {"evaluations": 240, "gradients": 0, "computed": 320}
                    records[path]["denoiser"] = work
        paths = self.items["tables/cost"].params["paths"]
        self.make("cost", records=[records.get(path) for path in paths])

    def _leaderboard(self):
        names = ("accuracy", "significance", "diversity", "fid", "cost")
        tables = {name: self.table(name) for name in names}
        published = read_rows(self.published)
        self.make("leaderboard", **tables, published=published, specs=self.grid["leaderboard"])

    def _figures(self):
        board, spectrum = self.frame("leaderboard"), self.frame("spectrum")
        figures = {
            "accuracy_vs_ipc": by_ipc(board),
            "accuracy_vs_cost": by_cost(board, self.frame("cost"))[0],
            "spectrum": band(spectrum, ["dataset", "source", "index"], "normalised"),
        }
        if self.grid["lighthouse"]:
            measures = pd.read_csv(self.results / "metrics/lighthouse/digits.csv")
            figures["lighthouse"] = seed_points(measures)
            figures["lighthouse_map"] = self._map(measures)
        if sweep := self.grid["sweep"]:
            at, chosen = (sweep["method"], sweep["ipc"]), (sweep["values"], sweep["table"])
            runs, sets = (at_ipc(self.frame(name), *at) for name in ("runs", "diversity"))
            curve = along(sets, "eta_dpp", *chosen)
            figures["sensitivity"] = sweep_rows(runs, sets, *chosen)
            figures["ssim_vs_eta_dpp"] = band(curve, ["dataset", "eta_dpp"], "ssim")
        for name, frame in figures.items():
            self.write(f"figures/{name}.csv", frame.to_dict("records"))
