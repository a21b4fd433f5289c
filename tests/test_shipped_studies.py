"""Studies: a name and a folder each, and the paper's as they are shipped."""

import copy

import pytest
import yaml
from snakemake.utils import update_config

from lighthouse.config import ConfigError, load_study
from shipped import BASE, SHIPPED, changed

# A study has a name, and so a folder, of its own.


def test_the_shipped_study_stays_where_it_is():
    study = load_study(SHIPPED, BASE)
    study.check_name()
    assert study.folder is None


def test_a_changed_study_must_have_a_name_of_its_own():
    with pytest.raises(ConfigError, match="differs in run; name it"):
        load_study(changed("run.seeds", [7]), BASE).check_name()


def test_a_named_study_has_a_folder_of_its_own():
    study = load_study(changed("study", "mine"), BASE)
    study.check_name()
    assert study.folder == BASE / "runs" / "mine"


# The studies that are shipped beside the default.

STUDIES = {
    "paper": ["paper"],
    "paper-fastai": ["paper", "fastai"],
    "imagenet1k": ["paper", "imagenet1k"],
}


def merged(names):
    """Config files laid over the default's, as Snakemake does it."""
    config = copy.deepcopy(SHIPPED)
    for name in names:
        update_config(config, yaml.safe_load((BASE / "config" / f"{name}.yaml").read_text()))
    return config


@pytest.mark.parametrize("name", STUDIES)
def test_a_shipped_study_is_valid_without_its_data(name):
    study = load_study(merged(STUDIES[name]), BASE)
    assert study.folder == BASE / "runs" / name


def test_table_1_of_the_supplement():
    study = load_study(merged(["paper"]), BASE)
    names = ("lambda", "learning_rate", "eta_dpp", "mu_dm")
    table = {
        (dataset, ipc): tuple(study.hyperparameters[dataset, ipc][name] for name in names)
        for dataset in study.run["datasets"]
        for ipc in study.run["ipc"]
    }
    assert table == {
        ("imagenette-ilsvrc", 10): (3e-3, 1e-3, 100, 1000),
        ("imagenette-ilsvrc", 50): (5e-3, 1e-3, 100, 10000),
        ("imagenette-ilsvrc", 100): (5e-3, 1e-3, 100, 3000),
        ("imagewoof-ilsvrc", 10): (1e-2, 1e-3, 300, 3000),
        ("imagewoof-ilsvrc", 50): (1e-2, 1e-3, 100, 1000),
        ("imagewoof-ilsvrc", 100): (1e-2, 1e-3, 100, 1000),
    }


def test_missing_data_is_told_with_its_place():
    lines = load_study(merged(["paper"]), BASE).missing()
    assert [line for line in lines if "data/imagenet" in line and "imagenette-ilsvrc" in line]


def test_a_pretrained_model_is_kept_by_its_revision_or_is_a_local_folder(tmp_path):
    config = merged(["paper"])
    vae = load_study(config, BASE).pretrained("imagenette-ilsvrc", "autoencoder")
    hub = BASE / "downloads" / "hub" / "stabilityai" / "sd-vae-ft-mse"
    assert vae == hub / "31f26fdeee1355a5c34592e401dd41e45d25a493"
    config["datasets"]["imagenette-ilsvrc"]["denoiser"].update(
        pretrained=str(tmp_path / "dit"), revision=None
    )
    study = load_study(config, BASE)
    assert study.pretrained("imagenette-ilsvrc", "denoiser") == tmp_path / "dit"
    assert any(str(tmp_path / "dit") in line for line in study.missing())
    assert study.pretrained("digits", "denoiser") is None
