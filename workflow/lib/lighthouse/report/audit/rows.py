"""Every table has the rows of the grid, each once, and no other."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import product

from lighthouse.config.grid import CEILINGS
from lighthouse.report.audit.claims import NAN, Claim, Results, key, measured, named
from lighthouse.tables import CELL, MISSING, NOT_RUN

TRAINING = (*CELL, "student", "protocol")
SET = ("dataset", "method", "ipc")
BOARD = ("dataset", "protocol", "student", "ipc", "method")
COMPARISON = ("dataset", "student", "protocol", "ipc", "method", "against")
CURVE = ("dataset", "source", "seed")
PRIOR = ("dataset", "prior", "replicate", "method", "ipc", "variant")
#: Columns that name rows, in whatever table.
NAMES = (*TRAINING, "source", "against", "measure", "comparison", "factor", "value", "claim")
NAMES = (*NAMES, "strategy", "chosen_by", "class", "seed", "student_seed", "index")
#: And those that do so in one table alone.
NAMES_OF = {
    "figures/ssim_vs_eta_dpp.csv": ("eta_dpp",),
    "tables/cost_replicates.csv": ("replicate",),
    "tables/priors.csv": ("prior", "replicate"),
    "figures/prior_loss.csv": ("prior", "replicate", "step"),
}
#: Of the strategies: picks of the pool, and what all are measured by.
PICKED = ("best of random", "greedy subset", "greedy and swaps")
MEASURES = ("log_det", "coverage")
POINT = ("dataset", "ipc", "strategy", "chosen_by", "seed")
TEST = ("dataset", "measure", "comparison")
CLASSES = "tables/strategies_classes.csv"


def names(table: str) -> tuple[str, ...]:
    """The columns that name the rows of a table."""
    return (*NAMES, *NAMES_OF.get(table, ()))


def every_row(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Each table has a row for every cell of the grid, and no other."""
    for name, (columns, wanted, whole) in _wanted(results, grid).items():
        yield from counted(name, results.rows(name), columns, wanted, whole)


def every_training(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Each cell and student has one training for each sampling seed and student seed."""
    table, seeds = "tables/runs.csv", ("seed", "student_seed")
    wanted = [
        {**training, "seed": seed, "student_seed": student}
        for training in grid["trainings"]
        for seed, student in product(training["seeds"], training["student_seeds"])
    ]
    yield from counted(table, results.rows(table), (*TRAINING, *seeds), wanted, TRAINING)


def replicates_of_sets(results: Results, grid: Mapping) -> Iterator[Claim]:
    """Wherever a set stands with its seed, it stands with its replicate.

    The one set of all real images is a replicate by itself; what has no seed has none.
    """
    of = {float(seed): replicate for seed, replicate in grid["replicates"]}
    for table, rows in results.tables.items():
        for row in rows:
            if "replicate" in row and "seed" in row:
                own = NAN if row.get("status") == MISSING else of.get(row["seed"], row["seed"])
                place = (table, named(row, names(table)))
                yield Claim(*place, "replicate", row["replicate"], own)


def what_is_run(results: Results, grid: Mapping) -> Iterator[Claim]:
    """The leaderboard says "not run" of what the study leaves out and of nothing else."""
    specs = {key(spec, SET): spec for spec in grid["leaderboard"]}
    for row in results.rows("tables/leaderboard.csv"):
        spec = specs.get(key(row, SET))
        if spec is None:
            continue  # told by ``every_row``
        place = ("tables/leaderboard.csv", named(row, BOARD))
        other = "measured or missing" if row["status"] == NOT_RUN else row["status"]
        yield Claim(*place, "status", row["status"], other if spec["run"] else NOT_RUN)
        yield Claim(*place, "label", row["label"], spec["label"])


def counted(
    table: str,
    rows: Iterable[Mapping],
    columns: Sequence[str],
    wanted: Iterable[Mapping],
    whole: Sequence[str] | None = None,
) -> Iterator[Claim]:
    """Claims that each of ``wanted`` is one row of a table, by ``columns``, and that no other is.

    A row that says ``missing`` and fills only the columns ``whole`` stands for all rows that
    share those.
    """
    found, lost = {}, {}
    for row in rows:
        short = whole and row.get("status") == MISSING and "" in key(row, columns)
        place = lost if short else found
        place.setdefault(key(row, whole if short else columns), []).append(row)
    names = {key(row, columns): row for row in wanted}
    stood_for = {key(row, whole) for row in names.values()} if whole else set()
    for place, row in names.items():
        count = len(found.get(place, ())) + len(lost.get(key(row, whole or ()), ()))
        yield Claim(table, named(row, columns), "rows", count, 1)
    for place, group in found.items():
        if place not in names:
            yield Claim(table, named(group[0], columns), "rows", len(group), 0)
    for place, group in lost.items():
        if place not in stood_for:
            yield Claim(table, named(group[0], whole), "rows", len(group), 0)


def _wanted(results: Results, grid: Mapping) -> dict[str, tuple]:
    """By table: the columns that name a row, the rows wanted, what a missing row names alone."""
    seeded = [{**cell, "seed": seed} for cell in grid["all"] for seed in grid["seeds"]]
    measured_sets = [{**cell, "seed": seed} for cell in grid["tables"] for seed in grid["seeds"]]
    curves = [{**source, "seed": seed} for source in grid["spectra"] for seed in grid["seeds"]]
    places = [(p, s) for p in grid["protocols"] for s in grid["students"]]
    board = [
        {**spec, "protocol": protocol, "student": student}
        for spec in grid["leaderboard"]
        for protocol, student in places
    ]
    ablation = [
        {**spec, "protocol": protocol, "student": student}
        for spec in grid["ablation"]
        for protocol, student in product(grid["protocols"], grid["ablation_students"])
    ]
    return {
        "tables/leaderboard.csv": (BOARD, board, None),
        "tables/accuracy.csv": (TRAINING, grid["trainings"], None),
        "tables/significance.csv": (COMPARISON, comparisons(grid), None),
        "tables/recommendation.csv": (BOARD, grid["choices"], None),
        "tables/ablation.csv": (BOARD, ablation, None),
        "tables/cost.csv": (SET, grid["tables"], None),
        "tables/cost_replicates.csv": ((*CELL, "replicate"), _replicated(grid), None),
        "tables/fid.csv": (SET, grid["tables"], None),
        "tables/fid_sets.csv": ((*SET, "seed"), measured_sets, SET),
        "tables/claims.csv": (("dataset", "claim"), grid["claims"], None),
        "tables/diversity.csv": ((*CELL, "seed"), seeded, CELL),
        "tables/guidance.csv": (CELL, grid["sampled"], None),
        "tables/autoencoders.csv": (
            ("dataset",),
            [{"dataset": dataset} for dataset in grid["image_sizes"]],
            None,
        ),
        "tables/prior_verdict.csv": (("dataset",), _judged(grid), None),
        "tables/priors.csv": (PRIOR, priors(grid), None),
        "tables/tuning.csv": (CELL, grid["candidates"], None),
        "tables/spectrum_ranks.csv": (CURVE, curves, CURVE[:2]),
        "tables/spectrum.csv": ((*CURVE, "index"), _values(results, curves, grid), CURVE[:2]),
        "tables/strategies.csv": (TEST, _tests(grid), TEST[:1]),
        CLASSES: ((*POINT, "class"), _lit(results, grid), POINT[:1]),
    }


def _replicated(grid: Mapping) -> list[dict]:
    """Each replicate of the cells that are made replicate by replicate."""
    seeds = dict.fromkeys(replicate for _, replicate in grid["replicates"])
    return [{**cell, "replicate": seed} for cell in grid["replicated"] for seed in seeds]


def _judged(grid: Mapping) -> list[dict]:
    """The datasets whose base prior is judged."""
    check = grid["prior_check"]
    return [{"dataset": dataset} for dataset in (check["datasets"] if check else ())]


def priors(grid: Mapping) -> list[dict]:
    """Every prior with the cell that shows it, of which nothing is told where there is none."""
    nobody = dict.fromkeys(CELL, NAN)
    return [{**nobody, **(prior["sampled"] or {}), **prior} for prior in grid["priors"]]


def comparisons(grid: Mapping) -> list[dict]:
    """Every method of the leaderboard against the base, and the named pairs, at each IPC.

    Of a student and protocol that is trained on both.
    """
    trained = {key(training, TRAINING) for training in grid["trainings"]}
    under = dict.fromkeys((row["student"], row["protocol"]) for row in grid["trainings"])
    cells = {key(cell, SET): cell for cell in grid["main"]}
    pairs = dict.fromkeys(
        [(method, grid["base"]) for _, method, _ in cells if method != grid["base"]]
        + [(one, other) for one, other in grid["pairs"] if one != other]
    )
    found = []
    for (dataset, method, ipc), cell in cells.items():
        for one, other in pairs:
            against = cells.get((dataset, other, ipc))
            if method != one or against is None:
                continue
            for student, protocol in under:
                place = {"student": student, "protocol": protocol}
                if {key({**side, **place}, TRAINING) for side in (cell, against)} <= trained:
                    found.append({**cell, **place, "against": other})
    return found


def _values(results: Results, curves: Sequence[Mapping], grid: Mapping) -> list[dict]:
    """The singular values of each set: as many as its images less one, or as features have."""
    dims = {row["dataset"]: row["feature_dim"] for row in measured(results.rows("tables/fid.csv"))}
    rows = []
    for curve in curves:
        n = grid["spectrum_ipc"] * grid["classes"][curve["dataset"]]
        count = min(n - 1, dims.get(curve["dataset"], n - 1))
        rows += [{**curve, "index": index} for index in range(1, count + 1)]
    return rows


def points_of(grid: Mapping, dataset: str) -> list[dict]:
    """The strategies' sampled sets of each seed, and of each measure its picks of the pool."""
    place = {"dataset": dataset, "ipc": grid["strategies"]["ipc"]}
    return [
        {**place, "strategy": strategy, "chosen_by": NAN, "seed": seed}
        for strategy in grid["strategies"]["cells"][dataset]
        for seed in grid["seeds"]
    ] + [
        {**place, "strategy": pick, "chosen_by": measure, "seed": NAN}
        for pick in PICKED
        for measure in MEASURES
    ]


def _lit(results: Results, grid: Mapping) -> list[dict]:
    """Those sets by class. The classes' names are the table's: the grid has but their number."""
    names: dict[str, dict] = {}
    for row in measured(results.rows(CLASSES)):
        names.setdefault(row["dataset"], {})[row["class"]] = None
    return [
        {**point, "class": name}
        for dataset in (grid["strategies"]["cells"] if grid["strategies"] else ())
        for point in points_of(grid, dataset)
        for name in names.get(dataset, [NAN])
    ]


def contrasts(beside: Sequence[str]) -> list[tuple[str, str]]:
    """What the strategies' tests compare: joint with sequential, both with all others.

    And each of the methods ``beside`` them with either.
    """
    both, others = ("joint", "sequential"), ("iid", *PICKED)
    return [both, *product(both, others), *product(beside, both)]


def _tests(grid: Mapping) -> list[dict]:
    if not grid["strategies"]:
        return []
    return [
        {"dataset": dataset, "measure": measure, "comparison": f"{first} - {second}"}
        for dataset in grid["strategies"]["cells"]
        for measure in MEASURES
        for first, second in contrasts(grid["strategies"]["beside"])
    ]


def is_ceiling(row: Mapping) -> bool:
    """Whether a row is of students trained on all images."""
    return row["method"] in CEILINGS
