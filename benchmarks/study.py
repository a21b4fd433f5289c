"""ImageNette at 64 px through Snakemake, as far as the time goes, the most important first.

    uv run python -m benchmarks.study --data imagenette64.tar.gz --limit 450 --out FOLDER

The study is ``config/nette64.yaml``, and what ``--over`` lays over it. One call of Snakemake makes
the base priors and a grid of their samples; then each call takes a few methods more, in the order
of ``run.methods``, and makes their sets, students and metrics; one more makes those of ablation and
sweep. Each is stopped when the time is over. The last call makes the tables and figures: the
study's, or where it did not come to its end those of the methods that are finished by then.

``study.tar.gz`` has tables, figures (the images in them are generated, or real ones beside
them), records and logs, and ``progress.json``: what each call came to. It is written anew
after each. ``prior.safetensors``: the weights of the first replicate's base prior in half
precision, where they are small enough to be carried.
"""

import argparse
import copy
import os
import shutil
import sys
import tarfile
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import yaml
from snakemake.utils import update_config

from benchmarks import ROOT
from benchmarks.limits import GRACE_SECONDS, run_for, stop_when_told
from benchmarks.measure import shipped
from benchmarks.students import pictures, write_folder
from lighthouse.config import paths, rows
from lighthouse.config.batches import measured_by, trained_by
from lighthouse.config.grid import BASE
from lighthouse.config.load import load_study
from lighthouse.config.study import Study
from lighthouse.diffusion.loading import RECORD
from lighthouse.parts.measures import MEASURES, Reach
from lighthouse.runtime.cells import recorded
from lighthouse.runtime.files import read_json, read_tensors, whole, write_json, write_tensors

DATASET = "nette64"
#: The study's file, and what is laid over it at toy size.
STUDY, TOY = ROOT / "config" / "nette64.yaml", Path(__file__).with_name("toy.yaml")
#: Methods of one call of Snakemake, whose jobs then run side by side.
METHODS_A_CALL = 5
#: Images of a class and part at toy size, and their side in pixels.
TOY_IMAGES, TOY_SIDE = 12, 64
#: What is packed: everything but weights, tensors and single images.
PACKED = (
    "*.json",
    "tables/*.csv",
    "tables/*.md",
    "figures/**/*.png",
    "figures/*.csv",
    "samples/**/*.json",
    "metrics/**/*.json",
    "costs/**/*.json",
    "students/**/*.json",
    "batches/**/*.json",
    "priors/**/*.json",
    "logs/**/*.log",
    "benchmarks/**/*.tsv",
)
#: The largest file that is brought back, in bytes.
LARGEST = 16 * 2**20


def unpack(archive: Path, folder: Path, most: int | None) -> Path:
    """Unpack the images of ``train`` and ``val``; return the folder that holds these two.

    most: images of a class and part; None for all.
    """
    taken: Counter[Path] = Counter()

    def wanted(tar: tarfile.TarFile) -> Iterator[tarfile.TarInfo]:
        for member in tar:
            place = Path(member.name).parent
            if member.isfile() and place.parent.name in ("train", "val"):
                taken[place] += 1
                if most is None or taken[place] <= most:
                    yield member

    with tarfile.open(archive) as tar:
        tar.extractall(folder, wanted(tar), filter="data")
    if not taken:
        raise SystemExit(f"{archive}: holds no train/<class>/ and val/<class>/ with images")
    return folder / next(iter(taken)).parents[1]


def made_up(folder: Path) -> Path:
    """Pictures in place of an archive's, at toy size."""
    for seed, part in enumerate(("train", "val")):
        write_folder(folder / part, pictures(10 * TOY_IMAGES, TOY_SIDE, seed), ".jpg")
    return folder


def config_of(root: Path, weights: Path | None, toy: bool, over: Sequence[Path] = ()) -> dict:
    """The study's config, its images below ``root``.

    over: files of config that are laid over the study's. weights: of its extractor, SqueezeNet;
    without them, for a machine without a network, a small network trained on the images takes its
    place.
    """
    config = copy.deepcopy(shipped())
    for path in (STUDY, *over, *([TOY] if toy else [])):
        update_config(config, yaml.safe_load(path.read_text("utf-8")))
    options = config["datasets"][DATASET]
    options["root"] = str(root.absolute())
    if weights:
        options["extractor"]["weights"] = str(weights.absolute())
    else:
        epochs = 1 if toy else 5
        options["extractor"] = {"kind": "trained", "name": f"{DATASET}-convnet", "epochs": epochs}
    return config


def limited_to(config: Mapping, methods: Sequence[str]) -> dict:
    """The config with some of its methods alone, the base of all comparisons among them.

    With those claims and curves that are of these alone, and without ablation, sweep and
    strategies, which name methods of their own.
    """
    run = copy.deepcopy(config["run"])
    run["methods"] = list(methods)
    limits = ([m for m in entry["methods"] if m in methods] for entry in run["only"])
    run["only"] = [
        {**entry, "methods": own} for entry, own in zip(run["only"], limits, strict=True) if own
    ]
    run |= {"ablation": None, "sweep": None, "strategies": None}
    claims = [claim for claim in run["claims"] or [] if "along" not in claim]
    sides = [{claim[side] for side in ("of", "against") if side in claim} for claim in claims]
    own = [claim for claim, of in zip(claims, sides, strict=True) if of <= set(methods)]
    curves = run["spectrum"]["curves"]
    base = {"source": "base", "method": run["comparisons"]["base"]}
    kept = [curve for curve in curves if curve["method"] in methods]
    run["spectrum"]["curves"] = kept or [base]
    drawn = {curve["method"] for curve in run["spectrum"]["curves"]}
    run["claims"] = [
        claim
        for claim in own
        if MEASURES[claim["measure"]].reach is not Reach.CURVES or claim["of"] in drawn
    ] or None
    return {**config, "run": run}


def targets_of(study: Study) -> list[str]:
    """The records of the jobs that train students on all cells, and measure these."""
    return [*trained_by(study), *measured_by(study, study.cells)]


def is_finished(study: Study, method: str, folder: Path) -> bool:
    """Whether each record that tables have of a method is there, with the study's stamp.

    study: without a sweep, whose records would count with its method's.
    """
    expected = [*rows.student_records(study), *rows.set_records(study, study.cells)]
    return all(
        (recorded(folder / path) or {}).get("stamp") == stamp
        for path, row, stamp in expected
        if row["method"] == method
    )


class Run:
    """The calls of Snakemake, in one folder, within one limit.

    study: the whole of it. rows: its methods, without ablation, sweep and strategies.
    """

    def __init__(self, given: argparse.Namespace, work: Path, config: dict):
        self.given, self.work, self.config = given, work, config
        self.study = load_study(config, ROOT)
        self.rows = load_study(limited_to(config, config["run"]["methods"]), ROOT)
        self.folder = work / "run"
        own = self.study.prior_replicate(DATASET, BASE, next(iter(self.study.replicates)))
        self.base = self.folder / paths.prior(DATASET, BASE.path, own)
        self.until = time.monotonic() + given.limit
        self.calls: list[dict] = []

    def call(
        self,
        name: str,
        config: Mapping,
        targets: Sequence[str],
        spare: float,
        triggers: Sequence[str] = ("mtime", "params"),
    ) -> None:
        """Have Snakemake make targets, until ``spare`` seconds are left; pack what there is."""
        left = self.until - spare - time.monotonic()
        started, outcome = time.monotonic(), "not started"
        if left > 0:
            file = self.work / f"{name}.yaml"
            file.write_text(yaml.safe_dump(dict(config), sort_keys=False), encoding="utf-8")
            print(f"{name}: {left:.0f} s left", flush=True)
            log = self.folder / paths.log("snakemake")
            outcome = run_for(
                left, self.command(file, targets, triggers), log, grace=GRACE_SECONDS / 2
            )
        seconds = round(time.monotonic() - started, 1)
        self.calls.append({"call": name, "outcome": outcome, "seconds": seconds})
        print(f"{name}: {outcome} after {seconds} s", flush=True)
        self.pack()

    def command(self, config: Path, targets: Sequence[str], triggers: Sequence[str]) -> list[str]:
        """Snakemake's command line. A call that was killed leaves a lock.

        triggers: with ``params`` a job that an earlier call did, and that has more cells now,
        runs again and does these.
        """
        return [
            *(sys.executable, "-m", "snakemake"),
            *("--snakefile", str(ROOT / "workflow" / "Snakefile")),
            *("--configfile", str(config), "--directory", str(self.folder)),
            *("--cores", str(self.given.cores), "--resources", f"gpu={self.given.jobs}"),
            *("--keep-going", "--rerun-incomplete", "--rerun-triggers", *triggers),
            *("--nolock", "--scheduler", "greedy", "--quiet", "rules", "--", *targets),
        ]

    def finished(self) -> list[str]:
        """The methods of which every file is there."""
        return [
            method
            for method in self.rows.run["methods"]
            if is_finished(self.rows, method, self.folder)
        ]

    def pack(self) -> None:
        """Write ``study.tar.gz`` of what there is."""
        results = self.folder / paths.RESULTS
        write_json(
            results / "progress.json",
            {"finished": self.finished(), "calls": self.calls, "prior": self.prior()},
        )
        with whole(self.given.out / "study.tar.gz") as beside, tarfile.open(beside, "w:gz") as tar:
            for path in sorted({path for pattern in PACKED for path in results.glob(pattern)}):
                tar.add(path, path.relative_to(results))

    def prior(self) -> dict | None:
        """What the record of the first base prior says of its training; None before it is done."""
        record = self.base / RECORD
        if not record.exists():
            return None
        told = ("losses", "parameters", "steps", "ended_by", "looks")
        return {key: read_json(record)[key] for key in told}

    def carry_prior(self) -> None:
        """Write the first base prior's weights in half precision, where they are small enough."""
        weights = self.base / "diffusion_pytorch_model.safetensors"
        if not weights.exists():
            return
        half = {name: tensor.half() for name, tensor in read_tensors(weights).items()}
        size = sum(tensor.nbytes for tensor in half.values())
        if size > LARGEST:
            print(f"prior.safetensors: left out, {size / 2**20:.0f} MiB", flush=True)
            return
        write_tensors(self.given.out / "prior.safetensors", half, read_json(self.base / RECORD))

    def all(self) -> None:
        """The calls, one after the other."""
        base, spare = self.study.run["comparisons"]["base"], self.given.closing
        first = [paths.figure(f"samples/{DATASET}", "png"), paths.features(DATASET)]
        self.call("prior", limited_to(self.config, [base]), first, spare)
        self.carry_prior()
        methods = self.study.run["methods"]
        for count in range(0, len(methods), METHODS_A_CALL):
            some = methods[count : count + METHODS_A_CALL]
            config = limited_to(self.config, [*methods[:count], *some])
            self.call("+".join(some), config, targets_of(load_study(config, ROOT)), spare)
        self.call("study", self.config, targets_of(self.study), spare)
        done = self.finished()
        if base in done:
            ended = self.calls[-1]["outcome"] == "done"
            config = self.config if ended else limited_to(self.config, done)
            self.call("tables", config, ["tables", "figures", "audit"], 0, triggers=("mtime",))


def main() -> None:
    """Run the study in a folder of its own, which is removed at the end."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True, help="where the results are packed")
    parser.add_argument("--data", type=Path, help="archive of train/<class>/ and val/<class>/")
    parser.add_argument("--weights", type=Path, help="a SqueezeNet's, for the extractor")
    parser.add_argument("--over", type=Path, nargs="+", default=[], help="laid over the study")
    parser.add_argument("--limit", type=float, default=480, help="seconds in all")
    parser.add_argument("--closing", type=float, default=60, help="of these for the tables")
    parser.add_argument("--jobs", type=int, default=4, help="side by side on the accelerator")
    parser.add_argument("--cores", type=int, default=os.cpu_count())
    parser.add_argument("--toy", action="store_true", help="at a size for two cores")
    given = parser.parse_args()
    if not given.data and not given.toy:
        parser.error("--data: the archive of images (or --toy, which makes some up)")
    stop_when_told()
    given.out = given.out.absolute()
    given.out.mkdir(parents=True, exist_ok=True)
    work = Path(tempfile.mkdtemp(prefix="lighthouse-study-"))
    try:
        most = TOY_IMAGES if given.toy else None
        root = unpack(given.data, work / "data", most) if given.data else made_up(work / "data")
        study = Run(given, work, config_of(root, given.weights, given.toy, given.over))
        try:
            study.all()
        finally:
            study.pack()
    finally:
        shutil.rmtree(work, ignore_errors=True)


if __name__ == "__main__":
    main()
