"""How often each test of claims errs, and how often it finds a difference, on invented studies.

    uv run python -m benchmarks.verdicts [--trials 20000] [--out docs/evidence]

A study has twelve methods, of which ten are each claimed to differ from the first. Its accuracies
vary by replicate (what is trained, in part shared by all methods), by set and by student, like
those of the default run. The tests:

``paired t``: over replicates, of the differences of both sides (``report/claims.py``).
``pooled ANOVA``: replicates as blocks, one residual variance over all methods and replicates; of
balanced data the mixed model with a random replicate.
``sign flips``: all signs of the differences of the replicates, exactly.
``one prior``: no whole replicates, but everything trained once, and the seeds of sets taken as
pairs.

Columns: ``false_positives`` is the share of claims without a true difference that a test calls one
at 0.05, ``worst`` that of the claim of which it errs most often; ``familywise`` the share of
studies in which it errs at least once after Holm, half the claims being true; ``power`` the share
of these that it finds after Holm. ``error`` is the largest standard error of these by the number of
trials.
"""

import argparse
import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy import stats

from benchmarks import LIBRARY  # noqa: F401
from lighthouse.tables import write_rows

METHODS, CLAIMS, TRUE = 12, 10, 5
SETS, STUDENTS, ALPHA = 1, 2, 0.05
REPLICATES = (3, 5, 10)
#: Standard deviations in percentage points, about those of the default run at IPC 5: of a
#: replicate, shared by all methods, and of a method in it; of a set, and of a student.
SHARED, OWN, OF_SET, OF_STUDENT = 1.2, 0.9, 0.9, 1.1
#: The true difference of those claims that have one, in points.
EFFECT = 4.0
SEED = 20261127
COLUMNS = ("data", "replicates", "test", "false_positives", "worst", "familywise", "power", "error")
#: Trials that are held at once.
BLOCK = 2000

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


@dataclass(frozen=True)
class Data:
    """How accuracies vary. spread: of each method's own part, a factor. draw: unit variance.

    bounded: whether they lie just below 100 %, and are shares of 500 test images.
    """

    name: str
    spread: tuple[float, ...] = (1.0,) * METHODS
    draw: Draw = lambda rng, shape: rng.standard_normal(shape)
    bounded: bool = False


def _heavy(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Student's t of 3 degrees of freedom at unit variance."""
    return rng.standard_t(3, shape) / np.sqrt(3)


DATA = (
    Data("like the default's"),
    Data("unequal variances", spread=(*(0.5,) * 9, 2.0, 3.0, 0.5)),
    Data("heavy tails", draw=_heavy),
    Data("near 100 %", bounded=True),
)


def accuracies(
    rng: np.random.Generator,
    data: Data,
    trials: int,
    replicates: int,
    true: int,
    whole: bool = True,
) -> np.ndarray:
    """Means of each method in each replicate, (trials, methods, replicates), in %.

    true: so many of the claims have a difference of ``EFFECT``. whole: whether each replicate is
    trained anew; else all share one training, and differ by their sets.
    """
    trained = replicates if whole else 1
    spread = np.array(data.spread)[None, :, None]
    level = np.zeros((1, METHODS, 1))
    level[:, 1 : 1 + true] = EFFECT
    means = level + SHARED * data.draw(rng, (trials, 1, trained))
    means = means + OWN * spread * data.draw(rng, (trials, METHODS, trained))
    sets = OF_SET * spread[..., None] * data.draw(rng, (trials, METHODS, replicates, SETS))
    students = OF_STUDENT * data.draw(rng, (trials, METHODS, replicates, SETS, STUDENTS))
    found = 85.0 + means[..., None, None] + sets[..., None] + students
    if data.bounded:  # 85 becomes 97 %, and a share of 500 images
        found = 100 / (1 + np.exp(-(3.5 + (found - 85) / 10)))
        found = rng.binomial(500, found / 100) / 5
    return found.mean((-1, -2))


def paired_t(means: np.ndarray) -> np.ndarray:
    """p of the paired t-tests of the claims, (trials, claims); 1 where differences do not vary."""
    differences = means[:, 1 : 1 + CLAIMS] - means[:, :1]
    n = differences.shape[-1]
    error = differences.std(-1, ddof=1) / np.sqrt(n)
    with np.errstate(divide="ignore", invalid="ignore"):
        t = np.where(error > 1e-9, differences.mean(-1) / error, 0.0)
    return 2 * stats.t.sf(np.abs(t), n - 1)


def pooled_anova(means: np.ndarray) -> np.ndarray:
    """p of the claims by one residual variance over methods × replicates, (trials, claims)."""
    _, methods, n = means.shape
    rest = means - means.mean(1, keepdims=True) - means.mean(2, keepdims=True)
    rest = rest + means.mean((1, 2), keepdims=True)
    df = (methods - 1) * (n - 1)
    error = np.sqrt(2 / n * (rest**2).sum((1, 2)) / df)[:, None]
    differences = (means[:, 1 : 1 + CLAIMS] - means[:, :1]).mean(-1)
    return 2 * stats.t.sf(np.abs(differences) / error, df)


def sign_flips(means: np.ndarray) -> np.ndarray:
    """p of the exact test of all signs of the replicates' differences, (trials, claims)."""
    differences = means[:, 1 : 1 + CLAIMS] - means[:, :1]
    signs = np.array(list(itertools.product((1, -1), repeat=differences.shape[-1] - 1)))
    signs = np.insert(signs, 0, 1, axis=1)  # the other half are the same, turned
    sums = np.abs(differences @ signs.T)
    return (sums >= sums[..., :1] - 1e-9).mean(-1)


def holm(p: np.ndarray) -> np.ndarray:
    """Which p values (trials, claims) Holm's procedure rejects at ``ALPHA``."""
    order = np.argsort(p, axis=-1, kind="stable")
    level = ALPHA / np.arange(p.shape[-1], 0, -1)
    passed = np.logical_and.accumulate(np.take_along_axis(p, order, -1) <= level, axis=-1)
    found = np.empty_like(passed)
    np.put_along_axis(found, order, passed, -1)
    return found


TESTS = {
    "paired t": (paired_t, True),
    "pooled ANOVA": (pooled_anova, True),
    "sign flips": (sign_flips, True),
    "one prior": (paired_t, False),
}


def rates(data: Data, replicates: int, test: str, trials: int, seed: int = SEED) -> dict:
    """A row of the table: how often a test errs, and finds, on so many studies."""
    made, whole = TESTS[test]
    rng = np.random.default_rng([seed, replicates, *test.encode(), *data.name.encode()])
    wrong, families, found = np.zeros(CLAIMS), 0, 0
    for first in range(0, trials, BLOCK):
        n = min(BLOCK, trials - first)
        none = made(accuracies(rng, data, n, replicates, 0, whole))
        wrong += (none <= ALPHA).sum(0)
        rejected = holm(made(accuracies(rng, data, n, replicates, TRUE, whole)))
        families += int(rejected[:, TRUE:].any(1).sum())
        found += int(rejected[:, :TRUE].sum())
    false, power = wrong / trials, found / trials / TRUE
    shares = (false.max(), families / trials, power)
    return {
        "data": data.name,
        "replicates": replicates,
        "test": test,
        "false_positives": float(false.mean()),
        "worst": float(false.max()),
        "familywise": families / trials,
        "power": power,
        "error": float(max(np.sqrt(share * (1 - share) / trials) for share in shares)),
    }


def table(trials: int) -> list[dict]:
    """All rows: data × number of replicates × test."""
    grid = itertools.product(DATA, REPLICATES, TESTS)
    return [rates(data, n, test, trials) for data, n, test in grid]


def figure(rows: Sequence[Mapping], path: Path) -> None:
    """Rates by test: errors and power in rows, numbers of replicates in columns."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    measures = {
        "worst": "false positives\n(worst claim)",
        "familywise": "any error after Holm",
        "power": "power after Holm",
    }
    marks = (("#0072B2", "o"), ("#D55E00", "s"), ("#009E73", "^"), ("#7F7F7F", "X"))
    looks = dict(zip(TESTS, marks, strict=True))
    found = {(row["data"], row["replicates"], row["test"]): row for row in rows}
    made, axes = plt.subplots(
        len(measures), len(REPLICATES), figsize=(9.5, 6.6), sharex=True, sharey="row"
    )
    names = [data.name for data in DATA]
    for (i, (measure, label)), (j, n) in itertools.product(
        enumerate(measures.items()), enumerate(REPLICATES)
    ):
        ax = axes[i, j]
        for k, (test, (colour, mark)) in enumerate(looks.items()):
            values = [found[name, n, test][measure] for name in names]
            at = np.arange(len(names)) + 0.16 * (k - 1.5)
            ax.plot(at, values, mark, color=colour, ms=6, label=test)
        if measure == "power":
            ax.set_ylim(-0.04, 1.04)
        else:
            ax.axhline(ALPHA, color="#333333", lw=0.8, ls="--")
            ax.set_ylim(-0.03, 0.73)
        ax.grid(axis="y", color="#DDDDDD", lw=0.6)
        ax.set_axisbelow(True)
        if i == 0:
            ax.set_title(f"{n} replicates", fontsize=10)
        if j == 0:
            ax.set_ylabel(label, fontsize=9)
        ax.set_xticks(range(len(names)), [name.replace(" ", "\n", 1) for name in names], fontsize=8)
        ax.tick_params(axis="y", labelsize=8)
    handles, labels = axes[0, 0].get_legend_handles_labels()
    made.legend(handles, labels, ncols=len(TESTS), loc="upper center", frameon=False, fontsize=9)
    made.tight_layout(rect=(0, 0, 1, 0.96))
    made.savefig(path, dpi=150)
    plt.close(made)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=20_000)
    parser.add_argument("--out", type=Path, default=Path("docs/evidence"))
    options = parser.parse_args()
    rows = table(options.trials)
    options.out.mkdir(parents=True, exist_ok=True)
    write_rows(options.out / "verdicts.csv", rows, COLUMNS)
    figure(rows, options.out / "verdicts.png")
    print(f"{len(rows)} rows of {options.trials:,} studies each, and a figure, in {options.out}")


if __name__ == "__main__":
    main()
