"""The table of tables and figures: what each is made of, by whom, and where it goes."""

import copy
import inspect
import json
import shutil
import subprocess
import sys

import pytest

from lighthouse.config.load import load_study
from lighthouse.report import items as listed
from lighthouse.report.items import items
from lighthouse.report.making import maker
from lighthouse.report.unfinished import in_order
from repository import ROOT
from shipped import DEFAULT, SHIPPED, changed

#: The default with a method whose weights are tuned, so that every item is there.
METHODS = list(dict.fromkeys([*SHIPPED["run"]["methods"], "cgs-tuned"]))
TUNED = changed("run.methods", METHODS, DEFAULT)
ITEMS = {item.name: item for item in items(load_study(TUNED, ROOT))}


@pytest.fixture(params=ITEMS)
def item(request):
    return ITEMS[request.param]


def test_a_maker_takes_what_its_item_gives_it(item):
    taken = inspect.signature(maker(item.work)).parameters
    assert set(taken) == {*item.inputs, *item.params}


def test_an_item_can_be_told_as_json(item):
    assert json.loads(json.dumps(item.work))["maker"] == item.maker


def test_what_the_report_shows_has_a_caption_and_a_place_in_it(item):
    if item.labels:
        assert item.shown in item.paths
        assert (ROOT / "workflow" / "report" / f"{item.caption}.rst").is_file()
        assert item.category[:2] in ("1 ", "2 ", "3 ")
    else:
        assert item.shown is None


def test_no_two_items_share_a_name_or_a_file():
    paths = [path for item in ITEMS.values() for path in item.paths]
    assert len(set(paths)) == len(paths)
    assert len({item.place for item in ITEMS.values()}) == len(ITEMS)


def test_items_come_behind_those_that_they_read():
    order = [item.name for item in in_order(list(ITEMS.values()))]
    assert sorted(order) == sorted(ITEMS)
    for before, after in (
        ("table_accuracy", "table_significance"),
        ("table_significance", "table_leaderboard"),
        ("table_leaderboard", "figure_accuracy_vs_cost"),
    ):
        assert order.index(before) < order.index(after)


def test_a_study_without_its_extras_has_no_items_of_them():
    config = copy.deepcopy(SHIPPED)
    given = [name for name in config["run"]["methods"] if not name.endswith("-tuned")]
    config["run"] |= {
        "methods": given,
        "only": [],
        "ablation": None,
        "sweep": None,
        "strategies": None,
    }
    less = {item.name for item in items(load_study(config, ROOT))}
    assert ITEMS.keys() - less == {
        "table_ablation",
        "table_claims",
        "table_tuning",
        "table_strategies",
        "table_strategies_classes",
        "figure_strategies",
        "figure_sensitivity",
        "figure_ssim_vs_eta_dpp",
        "figure_diversity_grid_digits",
    }


def test_a_digest_tells_a_template_from_another(tmp_path, monkeypatch):
    before = listed.template_digest()
    shutil.copytree(listed.TEMPLATES, tmp_path / "templates")
    monkeypatch.setattr(listed, "TEMPLATES", tmp_path / "templates")
    assert listed.template_digest() == before
    with (tmp_path / "templates" / "table.html.j2").open("a") as file:
        file.write(" ")
    assert listed.template_digest() != before


def test_the_items_are_listed_without_what_draws_them():
    program = (
        "import sys; import lighthouse.report.items, lighthouse.report.unfinished;"
        "print({'torch', 'pandas', 'matplotlib', 'scipy'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": str(ROOT / "workflow" / "lib"), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set()"
