"""Which set is taken, what it is compared with, and what is said where chance cannot be told."""

import pytest

from choices import ALONE, SYNTHETIC_WINS, THREE, record, row
from lighthouse.report.recommendation import recommendation_rows, recommendation_table, taken
from lighthouse.report.recommendation_words import advice


def chosen(given, replicates=THREE, ipc=5):
    """The table's rows by method. given: test and validation accuracies of the sets by method."""
    rows = [row(method, ipc) for method in given]
    records = [record(*values) if values else None for values in given.values()]
    made = recommendation_rows(records, rows, replicates, 0.05)
    return {filled["method"]: filled for filled in made}


def said(found):
    (one,) = advice(list(found.values()))
    return one.lines


def test_the_choice_is_made_on_validation_and_told_on_test():
    found = chosen({"a": ([80, 80, 80], [70, 70, 70]), "b": ([75, 75, 75], [71, 71, 71])})
    assert (found["b"]["taken"], found["a"]["taken"]) == ("yes", "no")
    assert (found["b"]["top1_mean"], found["b"]["top1_val"]) == pytest.approx((75, 71))
    assert found["b"]["chosen_on"] == "val"
    assert "First on the test images is A (80.0 %)." in said(found)


def test_without_a_validation_part_the_test_part_chooses_and_that_is_said():
    found = chosen({"a": ([80, 80, 80],), "b": ([75, 75, 75],)})
    assert found["a"]["taken"] == "yes" and found["a"]["chosen_on"] == "test"
    assert found["a"]["top1_val"] != found["a"]["top1_val"]
    assert "on the test images themselves" in said(found)[0]
    assert "flatters" in said(found)[0]


def test_differences_are_paired_over_replicates():
    found = chosen(SYNTHETIC_WINS)
    herding = found["herding"]
    # 10, 11, 12: mean 11, deviation 1, and t of 2 degrees of freedom is 4.3027.
    assert (herding["n_pairs"], herding["over"]) == (3, "replicates")
    assert herding["difference"] == pytest.approx(11)
    assert herding["ci_low"] == pytest.approx(11 - 4.3027 / 3**0.5, abs=1e-3)
    assert herding["ci_high"] == pytest.approx(11 + 4.3027 / 3**0.5, abs=1e-3)
    assert herding["verdict"] == "better"
    assert found["dit"]["verdict"] == "taken" and found["dit"]["seed"] == 2


def test_of_one_replicate_they_are_over_its_sets_and_said_to_be():
    found = chosen(SYNTHETIC_WINS, ALONE)
    assert (found["herding"]["n_pairs"], found["herding"]["over"]) == (3, "sets")
    assert found["herding"]["verdict"] == "better"
    assert "over 3 sets of one replicate" in said(found)[1]
    many = chosen(SYNTHETIC_WINS)
    assert many["herding"]["difference"] == found["herding"]["difference"]


def test_one_set_cannot_tell_even_a_large_difference_from_chance():
    found = chosen({"random": ([50], [50]), "dit": ([75], [75])}, {0: 0})
    assert found["random"]["verdict"] == "not tested"
    assert said(found)[1] == (
        "The best of real images, RANDOM, has 50.0 %: 25.0 points less, not tested: "
        "one set cannot tell that from chance."
    )


def test_sets_that_differ_by_the_same_amount_leave_nothing_to_test_by():
    found = chosen({"random": ([50, 51], [50, 51]), "dit": ([75, 76], [75, 76])}, {0: 0, 1: 0})
    assert "2 sets of one replicate that differ by the same amount" in said(found)[1]


def test_a_synthetic_set_that_is_ahead_is_compared_with_real_images():
    lines = said(chosen(SYNTHETIC_WINS))
    assert lines[0] == (
        "At IPC 5 take DIT: 72.0 % of the test images right. "
        "It is first of 3 on the validation images (72.0 %)."
    )
    assert lines[1].startswith("The best of real images, HERDING, has 61.0 %: 11.0 points less, ")
    assert "more than chance (advantage of the taken: +8.5 to +13.5 at 95 %, over 3" in lines[1]
    assert lines[2].startswith("RANDOM has 51.0 %: 21.0 points less, more than chance")
    assert len(lines) == 3


def test_real_images_that_are_ahead_are_recommended_in_plain_words():
    found = chosen({"k": ([70, 71, 75], [70, 71, 75]), "dit": ([68, 74, 71], [69, 70, 71])})
    assert found["k"]["taken"] == "yes"
    second = said(found)[1]
    assert second.startswith("These are real images: no synthetic set is above them on the valid")
    assert "The best of those, DIT, has 71.0 %: 1.0 points less, which may be chance" in second


def test_synthetic_images_that_are_level_are_not_above():
    assert chosen({"dit": ([70, 71], [70, 71]), "k": ([60, 61], [70, 71])})["k"]["taken"] == "yes"
    level = [
        {"status": "measured", "chosen_on": "val", "top1_val": 70, "coreset": name}
        for name in ("", "a", "b")
    ]
    assert taken(level)["coreset"] == "a"
    assert taken([]) is None


def test_what_failed_is_no_choice_and_is_named():
    found = chosen({"random": ([50, 51, 52], [50, 51, 52]), "dit": None})
    assert found["dit"]["status"] == found["dit"]["verdict"] == "missing"
    assert found["random"]["taken"] == "yes"
    lines = said(found)
    assert lines[1] == "There is no synthetic set to compare these real images with."
    assert lines[-1] == "Missing, because a computation failed: DIT."
    nothing = said(chosen({"random": None}))
    assert nothing[0] == "At IPC 5 there is nothing to take: no set is measured."


def test_pages_have_a_line_for_each_method():
    rows = [row(method) for method in SYNTHETIC_WINS] + [row("broken")]
    records = [record(*values) for values in SYNTHETIC_WINS.values()] + [None]
    made = recommendation_table(records, rows, THREE, 0.05)
    for text in (made["markdown"], made["page"]):
        for label in ("RANDOM", "HERDING", "DIT", "BROKEN"):
            assert label in text
        assert "+8.5 to +13.5" in text
    assert "| HERDING | 62.0 | 61.0 | +11.0 (+8.5 to +13.5) | better |" in made["markdown"]
