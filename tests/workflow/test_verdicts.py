"""The simulation of tests of claims: its tests are what it says, its table is shipped."""

import sys

import numpy as np
import pytest
from scipy import stats

from benchmarks import verdicts
from lighthouse.report import statistics
from lighthouse.tables import read_rows
from repository import ROOT


@pytest.fixture
def means():
    return verdicts.accuracies(np.random.default_rng(0), verdicts.DATA[0], 50, 5, verdicts.TRUE)


def differences(means):
    return means[:, 1 : 1 + verdicts.CLAIMS] - means[:, :1]


def test_accuracies_are_shared_in_part_by_the_methods_of_a_replicate():
    rng = np.random.default_rng(1)
    found = verdicts.accuracies(rng, verdicts.DATA[0], 4000, 3, 1)
    assert found.shape == (4000, verdicts.METHODS, 3)
    assert found[:, 1].mean() - found[:, 0].mean() == pytest.approx(verdicts.EFFECT, abs=0.1)
    own = verdicts.OWN**2 + verdicts.OF_SET**2 + verdicts.OF_STUDENT**2 / verdicts.STUDENTS
    assert found[:, 0].var() == pytest.approx(own + verdicts.SHARED**2, rel=0.06)
    assert differences(found)[:, 3].var() == pytest.approx(2 * own, rel=0.06)


def test_with_one_prior_the_seeds_of_sets_share_what_a_method_was_trained_to():
    rng = np.random.default_rng(1)
    found = verdicts.accuracies(rng, verdicts.DATA[0], 4000, 3, 0, whole=False)
    of_trials = differences(found).mean(-1).var()
    assert of_trials > 2 * verdicts.OWN**2  # which no number of seeds takes away


def test_near_100_percent_accuracies_are_counts_of_images():
    (data,) = (one for one in verdicts.DATA if one.bounded)
    found = verdicts.accuracies(np.random.default_rng(2), data, 20, 3, 0)
    assert 90 < found.mean() < 100 and found.max() <= 100
    assert np.allclose(found * 10, np.round(found * 10))  # two students of 500 images


def test_paired_t_is_the_textbooks(means):
    expected = stats.ttest_1samp(differences(means), 0.0, axis=-1).pvalue
    assert verdicts.paired_t(means) == pytest.approx(expected)


def test_pooled_anova_is_that_of_two_ways():
    # Two methods beside each other: one residual variance is the paired t-test's own.
    means = np.random.default_rng(3).normal(size=(20, 2, 4))
    expected = stats.ttest_rel(means[:, 1], means[:, 0], axis=-1).pvalue
    assert verdicts.pooled_anova(means)[:, 0] == pytest.approx(expected)


def test_sign_flips_are_the_exact_test_of_all_signs(means):
    found = verdicts.sign_flips(means)
    for trial, claim in ((0, 0), (7, 9)):
        one = differences(means)[trial, claim]
        test = stats.permutation_test((one,), np.mean, permutation_type="samples")
        assert found[trial, claim] == pytest.approx(test.pvalue)


def test_holm_rejects_what_the_reports_does():
    p = np.random.default_rng(4).random((200, verdicts.CLAIMS)) ** 4
    expected = [[v <= verdicts.ALPHA for v in statistics.holm(row)] for row in p.tolist()]
    assert verdicts.holm(p).tolist() == expected


def test_the_shipped_rates_are_those_of_the_code():
    rows = read_rows(ROOT / "docs" / "evidence" / "verdicts.csv")
    assert tuple(rows[0]) == verdicts.COLUMNS
    assert len(rows) == len(verdicts.DATA) * len(verdicts.REPLICATES) * len(verdicts.TESTS)
    for which, n, test in ((0, 5, "paired t"), (1, 3, "pooled ANOVA"), (2, 5, "one prior")):
        data = verdicts.DATA[which]
        (row,) = (r for r in rows if tuple(r.values())[:3] == (data.name, n, test))
        again = verdicts.rates(data, n, test, 2000, seed=1)
        for name in ("worst", "familywise", "power"):
            assert again[name] == pytest.approx(row[name], abs=4 * again["error"] + 0.005), name


def test_the_command_writes_a_table_and_a_figure(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(verdicts, "DATA", verdicts.DATA[:1])
    monkeypatch.setattr(sys, "argv", ["verdicts", "--trials", "10", "--out", str(tmp_path)])
    verdicts.main()
    assert len(read_rows(tmp_path / "verdicts.csv")) == 12
    assert (tmp_path / "verdicts.png").stat().st_size > 10_000
    assert "12 rows of 10 studies" in capsys.readouterr().out
