"""Tables and pages of an invented study, by their real makers: what an audit finds nothing in."""

from contextlib import chdir
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np

from invented import MORE, STUDENT, invented_study
from lighthouse.config import paths, prior_check, rows
from lighthouse.config.expectations import expectations
from lighthouse.metrics.frechet import Reference, distance_row, set_rows
from lighthouse.metrics.sets import distinct_sets
from lighthouse.metrics.spectrum import rank_row, singular_values, value_rows
from lighthouse.metrics.strategies import claims
from lighthouse.priors.verdict import KINDS, advice, judged
from lighthouse.report.audit.checks import read_results
from lighthouse.report.cost import paths_of
from lighthouse.report.figures import plt
from lighthouse.report.items import items
from lighthouse.report.making import make
from lighthouse.report.tables import write_text
from lighthouse.report.unfinished import in_order
from lighthouse.runtime.files import without_nan, write_arrays, write_json
from lighthouse.students.tuning import tuning_record
from lighthouse.units import raw_weight

DIM, CLASSES, REAL, REAL_SHOWN, LATENT = 12, 10, 60, 10, 64
#: Images of the test part: so many that no two differences of accuracies are the same.
TEST = 50_000
PARTS = ("val", "test")
PUBLISHED = [
    ("rsm", 1, 66.0, "another", "B & co"),
    ("rsm", 1, 67.0, "digits", "A"),
    ("dit-igd", 2, 68.25, "another", "B & co"),
    ("DM", 2, 13.0, "digits", "A"),
]


def rng(*words):
    """A generator that depends on words alone."""
    return np.random.default_rng(list("|".join(map(str, words)).encode()))


class Invented:
    """A folder ``results`` of an invented study, with what is expected of it.

    Records are invented, and the makers of the report's items make its tables of them.
    failed: methods whose sampling failed.
    """

    def __init__(self, folder: Path, failed=(), more=MORE):
        self.study, self.failed, self.folder = invented_study(more), failed, folder
        self.results = folder / "results"
        self.grid = expectations(self.study)
        for spec in self.grid["leaderboard"]:
            spec["published_as"] = "family"
        self.published = str(folder / "published.tsv")
        self._list_published()
        self.images = [folder / "samples" / f"{i}.safetensors" for i in range(len(self.cells))]
        self._samples()
        self._students()
        self._sets()
        if self.grid["strategies"]:
            self._strategies()
        self.tuned = self._tuning()
        self._costs()
        self._items()

    @property
    def cells(self):
        return self.grid["tables"]

    def read(self):
        """The results as the audit's rule reads them."""
        folders = [self.results / name for name in ("tables", "figures")]
        paths = [str(path) for folder in folders for path in sorted(folder.iterdir())]
        return read_results(paths, self.published, self.cells, list(map(str, self.images)))

    def _record(self, path, stamp, content):
        """Write what a job of the study would have recorded."""
        write_json(self.folder / path, {**without_nan(content), "stamp": stamp})

    def _list_published(self):
        lines = ["dataset\tstudent\tprotocol\tmethod\tipc\ttop1\tstd\tsource"]
        lines += [
            f"family\t{STUDENT}\t{protocol}\t{method}\t{ipc}\t{top1}\t0.5\t{source}"
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
        records = rows.student_records(self.study)
        for training, record in zip(self.grid["trainings"], records, strict=True):
            random = rng(*training.values())
            level = random.uniform(0.3, 0.9)
            runs = [
                {
                    "seed": seed,
                    "student_seed": student,
                    "last": random.integers(TEST * (level - 0.04), TEST * (level + 0.04)) / TEST,
                    "best": random.integers(TEST * level, TEST * (level + 0.04)) / TEST,
                    "last_val": random.integers(TEST * (level - 0.04), TEST * level) / TEST,
                }
                for seed in training["seeds"]
                for student in training["student_seeds"]
            ]
            if training["method"] not in self.failed:
                found = {"runs": runs, "best_chosen_on": "val"}
                self._record(record.path, record.stamp, found)

    def log_dets(self, cell, seed):
        """log det of each class of a set, (10,)."""
        return rng("volume", *cell.values(), seed).uniform(-5, 0, CLASSES)

    def _sets(self):
        images = dict(zip(self.study.table_cells, self.images, strict=True))
        curves = rows.spectrum_cells(self.study), rows.spectra(self.study)
        spectra = {cell: curve.row for cell, curve in zip(*curves, strict=True)}
        reference = Reference(rng("real").normal(size=(REAL, DIM)))
        records = rows.set_records(self.study, self.study.cells)
        for cell, record in zip(self.study.cells, records, strict=True):
            if cell.method in self.failed:
                continue
            found = {"diversity": [self._diversity(cell.row, seed) for seed in self.grid["seeds"]]}
            if cell in images:
                found |= self._distances(cell.row, images[cell], reference)
            if cell in spectra:
                found |= self._spectrum(spectra[cell])
            self._record(record.path, record.stamp, found)

    def _distances(self, cell, path, reference):
        distinct = distinct_sets(path, self.grid["seeds"], cell["ipc"])
        shape = (CLASSES * cell["ipc"], DIM)
        # A set that is the same under every seed has the same features under each.
        first = {seed: seed if len(distinct) > 1 else 0 for seed in self.grid["seeds"]}
        features = {s: rng(*cell.values(), f).normal(size=shape) for s, f in first.items()}
        compared = [(features[seed], digests) for seed, digests in distinct.items()]
        return {
            "distances": distance_row(cell, "a network", reference, compared),
            "set_distances": set_rows(cell, reference, features),
        }

    def _diversity(self, cell, seed):
        n, random = cell["ipc"], rng("diversity", *cell.values(), seed)
        shares = dict(zip(("coverage", "precision", "recall"), random.random(3), strict=True))
        copies = self.study.methods[cell["method"]].coreset is not None
        latent, feature = (0 if copies else random.uniform(0, 2)), random.uniform(0, 2)
        return {
            **cell,
            "seed": seed,
            "ssim": random.uniform(-1, 1) if n > 1 else float("nan"),
            "n_pairs": n * (n - 1) // 2,
            "log_det": self.log_dets(cell, seed).mean() if n > 1 else np.log(1.001),
            "mean_magnitude": random.uniform(0, 1),
            **shares,
            "density": random.uniform(0, 2),
            "recognised": random.integers(CLASSES * n + 1) / (CLASSES * n),
            "nearest_latent": latent,
            "nearest_latent_min": latent / 2,
            "nearest_feature": feature,
            "nearest_feature_min": feature / 2,
        }

    def _spectrum(self, source):
        values, ranks = [], []
        for seed in self.grid["seeds"]:
            n = CLASSES * self.grid["spectrum_ipc"]
            sigma = singular_values(rng(*source.values(), seed).normal(size=(n, DIM)))
            named = {**source, "seed": seed}
            values += value_rows(named, sigma)
            ranks.append(rank_row({**named, "n": n}, sigma))
        return {"spectrum": values, "ranks": ranks}

    def _strategies(self):
        for record in rows.strategies_records(self.study, self.study.run["datasets"]):
            dataset = record.row["dataset"]
            table, of = self._classes(dataset), self.study.replicate_of
            strategies = list(self.grid["strategies"]["cells"][dataset])
            mapped = [name for name in strategies if name != "iid"]
            places = self._map(table, mapped)
            found = {"classes": table, "tests": claims(dataset, table, of), "map": places}
            self._record(record.path, record.stamp, found)
            pictures = {kind: np.zeros((2, 3, 4, 4), np.uint8) for kind in ("real", *mapped)}
            path = self.folder / paths.strategies_images(dataset)
            write_arrays(path, pictures, {"stamp": record.stamp})

    def _classes(self, dataset):
        table = []
        for label in range(CLASSES):
            place = {"dataset": dataset, "ipc": 2}
            table += [
                self._lit(place, strategy, "", seed, label, self.log_dets(cell, seed)[label])
                for strategy, cell in self.grid["strategies"]["cells"][dataset].items()
                for seed in self.grid["seeds"]
            ]
            table += [
                self._lit(place, pick, measure, "", label, rng(pick, label).uniform(-5, 0))
                for pick in ("best of random", "greedy subset", "greedy and swaps")
                for measure in ("log_det", "coverage")
            ]
        return table

    def _lit(self, place, strategy, chosen_by, seed, label, volume):
        names = {"strategy": strategy, "chosen_by": chosen_by, "seed": seed, "class": label}
        light = rng("light", strategy, chosen_by, seed, label).integers(REAL_SHOWN + 1) / REAL_SHOWN
        return {**place, **names, "log_det": volume, "coverage": light}

    def _map(self, table, mapped):
        """Ten real images of one class, of which as many are lit as the sets of seed 0 cover."""
        lights = {
            row["strategy"]: row["coverage"] * REAL_SHOWN
            for row in table
            if (row["class"], row["seed"]) == (3, 0)
        }
        place = {"dataset": "digits", "class": "3", "share": 0.5}
        real = [
            {
                **{**place, "kind": "real", "index": i, "x": 0.1 * i, "y": 0.5},
                "lit_by": "+".join(s for s in mapped if i < round(lights[s])),
            }
            for i in range(REAL_SHOWN)
        ]
        sets = [
            {**real[0], "kind": strategy, "index": i, "lit_by": ""}
            for strategy in mapped
            for i in range(2)
        ]
        return real + sets

    def _tuning(self):
        """What is chosen at each cell where a choice is made; its record by the cell."""
        found = {}
        cells, records = self.study.choices, rows.tuning_records(self.study)
        for cell, record in zip(cells, records, strict=True):
            candidates = [
                {
                    "variant": candidate.variant,
                    **asdict(tried),
                    **{part: rng(part, *candidate.row.values()).random() for part in PARTS},
                    "seconds": rng("seconds", *candidate.row.values()).uniform(1, 9),
                }
                for candidate, tried in self.study.candidates(cell).items()
            ]
            found[cell] = tuning_record(candidates)
            if cell.method not in self.failed:
                self._record(record.path, record.stamp, found[cell])
        return found

    def _costs(self):
        """What jobs took; those of sampling say with which weights, too."""
        for spec in rows.cost_rows(self.study):
            for path in paths_of(spec) if spec["method"] not in self.failed else ():
                if path not in (spec["sample"], *spec["tuning"]):
                    self._record(path, "", self._training(path))
        for autoencoder in rows.autoencoder_rows(self.study):
            self._record(autoencoder["cost"], "", self._autoencoder(autoencoder["cost"]))
        for prior in rows.prior_rows(self.study):
            self._record(prior["cost"], "", self._prior(prior))
        for dataset in prior_check.checked(self.study):
            self._record(paths.prior_verdict(dataset), "", self._verdict(dataset))
        records = rows.sample_records(self.study, self.study.cells)
        for cell, record in zip(self.study.cells, records, strict=True):
            if cell.method in self.failed or self.study.methods[cell.method].external:
                continue
            found = self._cost(record.path)
            if self.study.methods[cell.method].prior:
                scaled, sampler = self.study.scaled_at(cell), self.study.sampler(cell)
                own = self.tuned[scaled]["weights"] if scaled else sampler
                times = self.study.sampled_for_each(cell)
                found |= self._replicates(found, own["guidance_scale"], times)
                weights = self.study.term_weights(cell)
                if tuned := self.study.tuned_at(cell):
                    weights = self.tuned[tuned]["weights"]
                found["options"] = self._options(weights)
            self._record(record.path, record.stamp, found)

    def _cost(self, path):
        return {
            "seconds": rng(path).uniform(1, 9),
            "peak_host_bytes": 2**29,
            "peak_device_bytes": None,
            "device": "cpu",
            "threads": 1,
            "trainable_parameters": 7,
            "images": 2 * CLASSES * 2,
        }

    def _replicates(self, cost, scale, times):
        """What of a sampling was of each replicate: the denoiser's work alike, seconds not.

        times: images that are sampled for each that is kept.
        """
        sampled = times * cost["images"]
        passes = 3 * sampled * (1 if scale == 1 else 2)
        work = {"evaluations": passes, "gradients": 0, "computed": 8 * sampled}
        seeds = list(self.study.replicates)
        shares = rng(cost["seconds"]).dirichlet(np.ones(len(seeds)))
        parts = [
            {
                "replicate": seed,
                "images": cost["images"] // len(seeds),
                "seconds": cost["seconds"] * share,
                "denoiser": {name: count // len(seeds) for name, count in work.items()},
            }
            for seed, share in zip(seeds, shares, strict=True)
        ]
        return {"denoiser": work, "replicates": parts}

    def _training(self, path):
        losses = {"noise": rng("loss", path).random(), "held_out": rng("held", path).random()}
        return {**self._cost(path), "steps": 3, "losses": losses, "ended_by": "steps", "looks": []}

    def _prior(self, prior):
        record = self._training(prior["cost"])
        if prior["looks"]:
            last = [30, record["losses"]["held_out"]]
            record |= {"ended_by": "flat", "steps": 30, "looks": [[10, 0.9], [20, 0.8], last]}
        return record

    def _verdict(self, dataset):
        first = next(row for row in rows.prior_rows(self.study) if row["prior"] == "base")
        training = self._prior(first)
        check = self.study.run["prior_check"]
        taught = dict(zip(KINDS, ([0.2, 0.3], [0.8, 0.9], [0.3, 0.5]), strict=True))
        bounds = {key: check[key] for key in ("weak", "useless")}
        found = judged(taught, CLASSES, 50, **bounds)
        words = found["verdict"], found["limit"], dataset, self.study.dataset(dataset)
        errors = self._autoencoder(paths.autoencoder_cost(dataset))["squared_error"]
        return {
            **{"dataset": dataset, **found, **bounds},
            "advice": advice(*words, training["ended_by"]),
            **{"ipc": 2, "sets": check["sets"], "judged_on": "val", "n_judged": 50},
            **{"precision": 0.25, "coverage": 0.5, "coverage_real": 0.75},
            **{"squared_error": errors["val"], "squared_error_on": "val"},
            "autoencoder_seconds": 90.0,
            "training": {
                **{key: training[key] for key in ("steps", "ended_by", "seconds")},
                "held_out_loss": training["losses"]["held_out"],
            },
        }

    def _autoencoder(self, path):
        terms = ("squared", "absolute", "perceptual", "kl")
        return {
            **self._cost(path),
            "steps": 3,
            "losses": {term: rng(term, path).random() for term in terms},
            "squared_error": {part: rng(part, path).random() for part in ("train", "val")},
            "latent_dim": LATENT,
        }

    def _options(self, weights):
        grows = {term["column"] for term in self.grid["terms"] if term["grows"]}
        applied = {n: raw_weight(w, LATENT) if n in grows else w for n, w in weights.items()}
        return {"weights": weights, "applied_weights": applied, "latent_dim": LATENT}

    def _items(self):
        """Make the study's tables, and of its figures the data."""
        with chdir(self.folder):
            for item in in_order(items(self.study)):
                outputs = {n: paths for n, paths in item.outputs.items() if n != "figure"}
                if not outputs:
                    continue
                item = replace(item, outputs=outputs)
                if item.place == "tables/leaderboard":
                    given = {**item.inputs, "published": self.published}
                    params = {**item.params, "specs": self.grid["leaderboard"]}
                    item = replace(item, inputs=given, params=params)
                make(item.work)
                plt.close("all")
