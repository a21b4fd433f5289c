"""The config: the shipped one is right, and each mistake is named."""

import subprocess
import sys

import pytest

from lighthouse.config.load import load_study
from lighthouse.config.schema import ConfigError
from repository import LIBRARY, ROOT
from shipped import DEFAULT, changed, one_problem, problems, table


def test_the_shipped_config_is_valid():
    load_study(DEFAULT, ROOT)


def test_checking_a_config_imports_no_torch():
    code = "import sys, lighthouse.config.study; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=LIBRARY, check=True)


# Every mistake by its place and with what is allowed.

SCHEMA_MISTAKES = {
    "unknown key": (
        "run.sedes",
        [0],
        ["config: run: unknown key 'sedes'", "allowed: datasets, methods, ipc"],
    ),
    "unknown room": ("gpu", {}, ["config: unknown key 'gpu'", "allowed: study, preset, downloads"]),
    "unknown option of a dataset": (
        "datasets.digits.sampler.stpes",
        50,
        ["config: datasets.digits.sampler: unknown key 'stpes'", "steps, guidance_scale"],
    ),
    "missing key": (
        "run.seeds",
        None,
        ["config: run: 'seeds' is missing", "Replicates, each the seed"],
    ),
    "missing rate": (
        "datasets.digits.base.learning_rate",
        None,
        ["config: datasets.digits.base: 'learning_rate' is missing"],
    ),
    "wrong type": ("run.ipc", 10, ["config: run.ipc: 10 is not of type array"]),
    "a fraction where a count is due": (
        "datasets.digits.sampler.steps",
        2.5,
        ["config: datasets.digits.sampler.steps: 2.5 is not of type integer"],
    ),
    "a number read as a word": (
        "guidance.dpp.epsilon",
        "1e-3",
        ["config: guidance.dpp.epsilon: '1e-3' is not of type number", "YAML", "1.0e-3"],
    ),
    "another number read as a word": (
        "datasets.digits.base.learning_rate",
        "3e-4",
        [
            "datasets.digits.base.learning_rate: '3e-4' is not allowed",
            "'by-width' or a number from 1e-12 to 1",
            "3.0e-4",
        ],
    ),
    "a rate of nothing": (
        "datasets.digits.base.learning_rate",
        0,
        ["datasets.digits.base.learning_rate: 0 is not allowed", "a number from 1e-12 to 1"],
    ),
    "a number in quotes": (
        "run.ipc",
        ["10"],
        ["config: run.ipc.0: '10' is not of type integer"],
    ),
    "negative IPC": ("run.ipc", [-1, 5, 10], ["config: run.ipc.0: -1", "minimum of 1"]),
    "negative weight of the sweep": (
        "run.sweep.values.eta_dpp",
        [0, -30],
        ["config: run.sweep.values.eta_dpp.1: -30", "minimum of 0"],
    ),
    "weight that is not a number": (
        "run.sweep.values.eta_dpp",
        [0, float("nan")],
        ["config: run.sweep.values.eta_dpp.1", "nan"],
    ),
    "negative lambda": (
        "priors.rsm.lambda",
        -0.1,
        ["config: priors.rsm.lambda: -0.1", "allowed: a number from 0 to 1000000 or 'table'"],
    ),
    "unknown objective": (
        "priors.rsm.objective",
        "gan",
        ["config: priors.rsm.objective: 'gan' is not known; allowed: plain, rsm, minimax"],
    ),
    "unknown weighting": (
        "datasets.digits.tuning.l1_weighting",
        "sqrt",
        ["tuning.l1_weighting: 'sqrt' is not known; allowed: none, sqrt-alpha-bar, snr"],
    ),
    "unknown source": (
        "datasets.digits.source",
        "mnist",
        ["source: 'mnist' is not known; allowed: digits, folder, imagenet, fastai, cifar10, "],
    ),
    "unknown network": (
        "students.convnet2.network",
        "vgg",
        ["'vgg' is not known; allowed: convnet, resnet-ap, resnet"],
    ),
    "unknown optimiser": (
        "protocols.digits.optimizer",
        "adam",
        ["'adam' is not known; allowed: adamw, sgd"],
    ),
    "a guided step beyond the schedule": (
        "guidance.mode.steps",
        [0, 2000],
        ["config: guidance.mode.steps.1: 2000", "maximum of 1000"],
    ),
    "neither steps nor epochs": (
        "datasets.digits.base.steps",
        None,
        ["config: datasets.digits.base: give one of 'steps', 'epochs' and 'stop'"],
    ),
    "both steps and epochs": (
        "datasets.digits.tuning.epochs",
        8,
        ["config: datasets.digits.tuning: give one of 'steps', 'epochs' and 'stop'"],
    ),
    "a prior of so many steps and epochs": (
        "priors.rsm.tuning",
        {"steps": 5, "epochs": 1},
        ["config: priors.rsm.tuning: give either 'steps' or 'epochs', or neither"],
    ),
    "a prior with an option that is of all": (
        "priors.rsm.tuning",
        {"ema": 0.5},
        ["config: priors.rsm.tuning: unknown key 'ema'; allowed: steps, epochs, l1_weighting"],
    ),
    "an autoencoder half described": (
        "datasets.digits.autoencoder.steps",
        None,
        ["config: datasets.digits.autoencoder: give either 'pretrained'", "steps"],
    ),
    "a seed twice": (
        "run.seeds",
        [0, 0],
        ["config: run.seeds: 0 is given twice; allowed: each once"],
    ),
    "no seeds": ("run.seeds", [], ["config: run.seeds", "allowed: at least 1"]),
    "a seed that is a word": ("run.seeds", [0, "one"], ["config: run.seeds.1: no replicate"]),
    "a replicate of no sets": ("run.seeds", [[]], ["config: run.seeds.0: no replicate; allowed:"]),
    "a set twice in a replicate": ("run.seeds", [[0, 0]], ["run.seeds.0", "a list of different"]),
}


@pytest.mark.parametrize(
    ("path", "value", "words"), SCHEMA_MISTAKES.values(), ids=list(SCHEMA_MISTAKES)
)
def test_a_value_that_cannot_be_is_named_with_its_place(path, value, words):
    one_problem(changed(path, value), *words)


def test_all_mistakes_are_reported_at_once_one_line_each():
    config = changed("run.ipc", [-1])
    config["guidance"]["dpp"]["epsilon"] = "1e-3"
    config["run"]["sedes"] = 1
    with pytest.raises(ConfigError) as error:
        load_study(config, ROOT)
    message = str(error.value).splitlines()
    assert message[0] == "wrong configuration:"
    assert [line.split(": ")[1] for line in message[1:]] == [
        "guidance.dpp.epsilon",
        "run",
        "run.ipc.0",
    ]


def test_mistakes_in_the_config_and_in_a_table_are_reported_at_once(tmp_path):
    config = table(tmp_path, "methods", lambda lines: [*lines, "x\t\tbase\tpairs\tdpp\tX"])
    config["guidance"]["dpp"]["epsilon"] = -1
    assert len(problems(config)) == 2
