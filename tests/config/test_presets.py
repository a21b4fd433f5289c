"""Presets, which lie between the default and a study, and their row of hyperparameters."""

import copy

import pytest
import yaml
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from lighthouse.config.grid import Cell
from lighthouse.config.load import load_study
from lighthouse.config.presets import PRESETS, config_of, default_file, preset_files
from lighthouse.config.reader import read_study
from repository import ROOT
from shipped import SCHEMA, SHIPPED, changed, one_problem, shipped_lines, table

FOLDER = ROOT / "config" / "presets"


@pytest.fixture
def write(tmp_path):
    """A function that writes a study file and returns its path."""

    def written(name="study", **keys):
        path = tmp_path / f"{name}.yaml"
        path.write_text(yaml.safe_dump(keys), encoding="utf-8")
        return path

    return written


@pytest.fixture
def images(tmp_path):
    """The root of an invented folder of images."""
    for part in ("train", "val"):
        for label in range(3):
            (tmp_path / "root" / part / f"class{label}").mkdir(parents=True)
            for number in range(40):
                (tmp_path / "root" / part / f"class{label}" / f"{number}.png").touch()
    return str(tmp_path / "root")


def test_the_presets_are_the_schemas_and_the_files():
    assert SCHEMA["properties"]["preset"]["enum"] == [*PRESETS, None]
    assert {path.stem for path in FOLDER.glob("*.yaml")} == set(PRESETS)


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_is_read_as_snakemake_reads_it(name):
    (path,) = preset_files({"preset": name}, ROOT)
    assert read_study(path) == (load_configfile(path), [])


@pytest.mark.parametrize("name", PRESETS)
@pytest.mark.parametrize("ipc", [[1, 5, 10], [3, 7, 50]])
def test_a_preset_is_a_study_once_it_has_a_root(write, images, name, ipc):
    keys = {"ipc": ipc, "spectrum": {"ipc": ipc[-1]}}
    path = write(study="mine", preset=name, run=keys, datasets={"images": {"root": images}})
    study = load_study(config_of([path], ROOT), ROOT)
    assert study.folder == ROOT / "runs" / "mine"
    assert len(study.cells) == len(study.run["methods"]) * len(ipc)
    assert study.config["preset"] == name


def as_snakemake(paths):
    """The config that Snakemake makes of study files, by the calls that it makes."""
    given, config = {}, {}
    for path in paths:
        update_config(given, load_configfile(path))
    update_config(config, load_configfile(default_file(ROOT)))
    update_config(config, given)
    for path in preset_files(config, ROOT):
        update_config(config, load_configfile(path))
        update_config(config, given)
    return config


def test_the_keys_of_a_preset_lie_between_the_defaults_and_the_studys(write):
    first = write("first", study="mine", preset="small", run={"sweep": None, "ipc": [1, 2]})
    second = write("second", run={"sweep": {"ipc": 2}, "seeds": [0, 1]}, compute={"portable": True})
    config = config_of([first, second], ROOT)
    assert config == as_snakemake([first, second])
    assert config["run"]["ipc"] == [1, 2]
    assert config["run"]["sweep"] == {"ipc": 2}  # the preset has none of its own
    assert config["run"]["students"] == ["images-convnet"]
    assert config["downloads"] == SHIPPED["downloads"]


def test_of_several_files_the_last_that_names_a_preset_decides(write):
    first, second = write("a", preset="small", study="x"), write("b", preset="medium")
    sizes = [
        config_of(files, ROOT)["datasets"]["images"]["image_size"]
        for files in ([first, second], [second, first])
    ]
    assert sizes == [64, 48]
    assert "images" not in config_of([first, write("c", preset=None)], ROOT)["datasets"]


@pytest.mark.parametrize("name", ["tiny", "../small", 5, ["small"], {"a": 1}, True])
def test_a_preset_that_there_is_none_of_is_told_in_one_line(name):
    assert preset_files({"preset": name}, ROOT) == []
    config = {**copy.deepcopy(SHIPPED), "preset": name, "datasets": {"images": {"root": "x"}}}
    one_problem(config, "config: preset:", "allowed: small, medium, large, pretrained, null")


# One row of hyperparameters for all IPCs.


def weights_of(tmp_path, *rows):
    """The learning rate and weights of CGS by IPC, from a table of these rows alone."""

    def edit(lines):
        return ["dataset\tipc\tmethod\tlambda\tlearning_rate\teta_dpp\tmu_dm", *rows]

    run = {**SHIPPED["run"], "methods": ["random", "dit", "cgs", "rsm-cgs"], "only": []}
    run |= {"comparisons": {**run["comparisons"], "pairs": []}, "ablation": None, "sweep": None}
    run |= {"strategies": None, "tuning": None}
    run["spectrum"] = {"ipc": 5, "curves": [{"source": "real", "method": "random"}]}
    study = load_study(table(tmp_path, "hyperparameters", edit, changed("run", run)), ROOT)
    return {
        (method, ipc): study.term_weights(Cell("digits", method, ipc))["eta_dpp"]
        for method in ("cgs", "rsm-cgs")
        for ipc in (1, 5, 10)
    }


ALL = "digits\t\t\t0.01\t0.001\t7\t100"


def test_a_row_without_an_ipc_is_that_of_all_ipcs(tmp_path):
    assert set(weights_of(tmp_path, ALL).values()) == {7}


def test_rows_of_an_ipc_and_of_a_method_lie_over_it(tmp_path):
    found = weights_of(
        tmp_path,
        "digits\t5\trsm-cgs\t\t\t4",
        "digits\t\trsm-cgs\t\t\t3",
        "digits\t5\t\t\t\t2",
        ALL,
    )
    assert found == {
        **{("cgs", 1): 7, ("cgs", 5): 2, ("cgs", 10): 7},
        **{("rsm-cgs", 1): 3, ("rsm-cgs", 5): 4, ("rsm-cgs", 10): 3},
    }


def test_two_rows_of_all_ipcs_are_one_too_many(tmp_path):
    config = table(tmp_path, "hyperparameters", lambda lines: [*lines, "digits", "digits"])
    last = len(shipped_lines("hyperparameters")) + 2
    one_problem(config, f"line {last}: digits has two rows, the first on line {last - 1}")


def test_a_row_of_all_ipcs_of_no_dataset_is_told(tmp_path):
    config = table(tmp_path, "hyperparameters", lambda lines: [*lines, "digit"])
    one_problem(config, "dataset 'digit' (all IPCs) is not known")
