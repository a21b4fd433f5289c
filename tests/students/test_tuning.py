"""The choice among candidates: by the validation part alone, with equals told apart."""

import pytest

from lighthouse.runtime.errors import DataError
from lighthouse.runtime.files import read_json, write_json
from lighthouse.students.tuning import best, tried, tuning_record


def candidate(number, val, factors, test=0.5):
    return {
        "variant": f"tuning~{number}",
        "factors": dict(zip("ab", factors, strict=True)),
        "weights": {"a": 10 * factors[0], "b": 3 * factors[1]},
        "val": val,
        "test": test,
        "seconds": 2.0,
    }


def chosen(*candidates):
    return best(candidates)["variant"]


def test_the_best_on_the_validation_part_is_chosen_whatever_it_is_on_the_test_part():
    assert (
        chosen(
            candidate(0, 0.7, (0.5, 2), test=0.9),
            candidate(1, 0.6, (1, 1), test=0.95),
            candidate(2, 0.8, (2, 0.5), test=0.1),
        )
        == "tuning~2"
    )


def test_of_equals_it_is_the_nearest_to_the_natural_units():
    far, near = candidate(0, 0.7, (0.25, 2)), candidate(1, 0.7, (2, 0.5))
    assert chosen(far, near) == chosen(near, far) == "tuning~1"
    assert chosen(far, candidate(2, 0.7, (1, 1)), near) == "tuning~2"


def test_of_those_as_near_it_is_that_of_the_smaller_weights():
    larger, smaller = candidate(0, 0.7, (2, 2)), candidate(1, 0.7, (0.5, 0.5))
    assert chosen(larger, smaller) == "tuning~1"


def test_rounding_decides_nothing():
    far, near = candidate(0, 0.7 + 1e-12, (4, 4)), candidate(1, 0.7, (1, 1))
    assert chosen(far, near) == "tuning~1"


def test_a_candidate_is_the_mean_of_its_sets_and_students():
    runs = [{"last_val": 0.5, "last": 0.1}, {"last_val": 0.7, "last": 0.4}]
    given = {"variant": "tuning~1", "factors": {"a": 1}, "weights": {"a": 5.0}, "students": "x"}
    found = tried(given, {"runs": runs}, 3.5)
    assert found == {
        "variant": "tuning~1",
        "factors": {"a": 1},
        "weights": {"a": 5.0},
        "val": pytest.approx(0.6),
        "test": pytest.approx(0.25),
        "seconds": 3.5,
    }


def test_without_a_validation_image_there_is_nothing_to_choose_by():
    given = {"variant": "tuning~1", "factors": {}, "weights": {}}
    with pytest.raises(DataError, match="holds no image: raise val_share"):
        tried(given, {"runs": [{"last_val": None, "last": 0.1}]}, 1.0)


def test_a_record_has_all_candidates_and_what_the_choice_comes_to():
    candidates = [candidate(0, 0.7, (0.5, 2)), candidate(1, 0.6, (1, 1))]
    record = tuning_record(candidates)
    assert record["candidates"] == candidates
    assert (record["chosen"], record["weights"]) == ("tuning~0", {"a": 5.0, "b": 6})
    assert record["seconds"] == 4.0


def test_the_rule_takes_the_weights_of_the_best_and_counts_all_seconds(tmp_path, run_script):
    candidates = []
    for number, val in enumerate((0.6, 0.8, 0.7)):
        files = {name: tmp_path / name / f"{number}.json" for name in ("samples", "students")}
        runs = [{"last_val": val, "last": 0.5}]
        write_json(files["samples"], {"seconds": 10.0, "made": "x"})
        write_json(files["students"], {"runs": runs, "seconds": 1.0 + number, "made": "y"})
        given = candidate(number, val, (1, 1))
        candidates.append({**{k: given[k] for k in ("variant", "factors", "weights")}, **files})
    cell = {
        "candidates": candidates,
        "sources": [one["students"] for one in candidates],
        "record": tmp_path / "table.json",
        "stamp": "s",
    }
    batch = tmp_path / "batch.json"
    run_script("tuning", {}, {"record": batch}, {"cells": [cell], "code": "c"}, dataset="toy")
    record = read_json(cell["record"])
    assert (record["chosen"], record["stamp"]) == ("tuning~1", "s")
    assert [one["seconds"] for one in record["candidates"]] == [11, 12, 13]
    assert record["seconds"] == 36
    assert list(read_json(batch)["made"]) == [str(cell["record"])]
    # A candidate that was not made leaves the choice to be made later.
    cell["sources"][2].unlink()
    run_script("tuning", {}, {"record": batch}, {"cells": [cell], "code": "c"}, dataset="toy")
    assert list(read_json(batch)["left"]) == [str(cell["record"])]
