"""The config: the shipped one is right, and each mistake is named."""

import subprocess
import sys

import pytest

from lighthouse.config import ConfigError, load_study
from shipped import BASE, SHIPPED, changed, one_problem, problems, table


def test_the_shipped_config_is_valid():
    load_study(SHIPPED, BASE)


def test_checking_a_config_imports_no_torch():
    code = "import sys, lighthouse.config; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=BASE / "workflow" / "lib", check=True)


# Every mistake by its place and with what is allowed.

SCHEMA_MISTAKES = {
    "unknown key": (
        "run.sedes",
        [0],
        ["config: run: unknown key 'sedes'", "allowed: datasets, methods, ipc"],
    ),
    "unknown room": ("gpu", {}, ["config: unknown key 'gpu'", "allowed: study, downloads, run"]),
    "unknown option of a dataset": (
        "datasets.digits.sampler.stpes",
        50,
        ["config: datasets.digits.sampler: unknown key 'stpes'", "steps, guidance_scale"],
    ),
    "missing key": ("run.seeds", None, ["config: run: 'seeds' is missing", "Sampling seeds"]),
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
        "guidance.epsilon",
        "1e-3",
        ["config: guidance.epsilon: '1e-3' is not of type number", "YAML", "1.0e-3"],
    ),
    "another number read as a word": (
        "datasets.digits.base.learning_rate",
        "3e-4",
        ["datasets.digits.base.learning_rate: '3e-4' is not of type number", "3.0e-4"],
    ),
    "a number in quotes": (
        "run.ipc",
        ["10"],
        ["config: run.ipc.0: '10' is not of type integer"],
    ),
    "negative IPC": ("run.ipc", [-1, 5, 10], ["config: run.ipc.0: -1", "minimum of 1"]),
    "negative weight of the sweep": (
        "run.sweep.eta_dpp",
        [0, -30],
        ["config: run.sweep.eta_dpp.1: -30", "minimum of 0"],
    ),
    "weight that is not a number": (
        "run.sweep.eta_dpp",
        [0, float("nan")],
        ["config: run.sweep.eta_dpp.1", "nan"],
    ),
    "negative lambda": (
        "priors.rsm.lambda",
        -0.1,
        ["config: priors.rsm.lambda: -0.1", "allowed: a number of at least 0 or 'table'"],
    ),
    "unknown objective": (
        "priors.rsm.objective",
        "minimax",
        ["config: priors.rsm.objective: 'minimax' is not known; allowed: plain, rsm"],
    ),
    "unknown weighting": (
        "datasets.digits.tuning.l1_weighting",
        "sqrt",
        ["tuning.l1_weighting: 'sqrt' is not known; allowed: none, sqrt-alpha-bar, snr"],
    ),
    "unknown source": (
        "datasets.digits.source",
        "mnist",
        ["source: 'mnist' is not known; allowed: digits, folder, imagenet, fastai"],
    ),
    "unknown network": (
        "students.convnet3.network",
        "vgg",
        ["'vgg' is not known; allowed: convnet, resnet-ap, resnet"],
    ),
    "unknown optimiser": (
        "protocols.digits.optimizer",
        "adam",
        ["'adam' is not known; allowed: adamw, sgd"],
    ),
    "a guided step beyond the schedule": (
        "guidance.steps",
        [0, 2000],
        ["config: guidance.steps.1: 2000", "maximum of 1000"],
    ),
    "neither steps nor epochs": (
        "datasets.digits.base.steps",
        None,
        ["config: datasets.digits.base: give either 'steps' or 'epochs'"],
    ),
    "both steps and epochs": (
        "datasets.digits.tuning.epochs",
        8,
        ["config: datasets.digits.tuning: give either 'steps' or 'epochs'"],
    ),
    "an autoencoder half described": (
        "datasets.digits.autoencoder.steps",
        None,
        ["config: datasets.digits.autoencoder: give either 'pretrained'", "steps"],
    ),
    "a seed twice": ("run.seeds", [0, 0], ["config: run.seeds", "non-unique"]),
    "no seeds": ("run.seeds", [], ["config: run.seeds", "allowed: at least 1"]),
}

CROSS_MISTAKES = {
    "unknown method": (
        "run.methods",
        [*SHIPPED["run"]["methods"], "cgss"],
        ["config: run.methods: 'cgss' is not known; allowed: random, dit, control"],
    ),
    "unknown dataset": (
        "run.datasets",
        ["digts"],
        ["run.datasets: 'digts' is not known; allowed: digits"],
    ),
    "unknown student": (
        "run.students",
        ["convnet7"],
        ["run.students: 'convnet7' is not known; allowed: convnet3, convnet6"],
    ),
    "unknown protocol": (
        "run.protocols",
        ["field"],
        ["run.protocols: 'field' is not known; allowed: digits, minimax"],
    ),
    "more images than the real ones for a coreset": (
        "run.ipc",
        [1, 5, 10, 97],
        ["config: run.ipc: 97 is above the 96 real images", "'random'"],
    ),
    "missing hyperparameters": (
        "run.ipc",
        [1, 2, 5, 10],
        ["hyperparameters.tsv: no row for dataset 'digits' and IPC 2"],
    ),
    "sweep at an IPC that is not run": (
        "run.sweep.ipc",
        7,
        ["config: run.sweep.ipc: 7 is not one of run.ipc: 1, 5, 10"],
    ),
    "spectrum at an IPC that is not run": (
        "run.spectrum.ipc",
        7,
        ["config: run.spectrum.ipc: 7 is not one of run.ipc: 1, 5, 10"],
    ),
    "sweep of a method without dpp": (
        "run.sweep.method",
        "dit",
        ["config: run.sweep.method: 'dit' has no dpp term", "rsm-cgs"],
    ),
    "sweep of a method that is not run": (
        "run.sweep.method",
        "other",
        ["run.sweep.method: 'other' is not known; allowed: random"],
    ),
    "spectrum of a method that is not run": (
        "run.spectrum.curves",
        [{"source": "real", "method": "other"}],
        ["config: run.spectrum.curves: 'other' is not known; allowed: random"],
    ),
    "two curves of one name": (
        "run.spectrum.curves",
        [{"source": "real", "method": "random"}, {"source": "real", "method": "dit"}],
        ["config: run.spectrum.curves: 'real' names two curves"],
    ),
    "protocol without epochs for the IPC": (
        "protocols.digits.epochs",
        [[1, 80], [5, 60]],
        ["config: protocols.digits.epochs: nothing for IPC 10", "up to IPC 5"],
    ),
    "protocol whose IPCs fall": (
        "protocols.digits.epochs",
        [[5, 80], [1, 60], [10, 40]],
        ["config: protocols.digits.epochs: the IPCs must rise"],
    ),
    "parts that do not add up": (
        "datasets.digits.parts.train",
        1001,
        ["config: datasets.digits.parts", "1798", "1797"],
    ),
    "a part too small for every class": (
        "datasets.digits.parts",
        {"train": 1290, "val": 5, "test": 502},
        ["config: datasets.digits.parts.val", "10"],
    ),
    "no guided steps": ("guidance.steps", [500, 500], ["config: guidance.steps", "500"]),
    "a base prior that is not plain": (
        "priors.base",
        {"objective": "rsm", "lambda": 0},
        ["config: priors.base: must be {objective: plain}"],
    ),
    "a tuned prior without lambda": (
        "priors.control",
        {"objective": "rsm"},
        ["config: priors.control: 'lambda' is missing"],
    ),
    "an option without effect": (
        "datasets.digits.tuning.learning_rate",
        0.1,
        ["config: datasets.digits.tuning: 'learning_rate' has no effect"],
    ),
    "an image that does not divide into patches": (
        "datasets.digits.denoiser.patch_size",
        3,
        ["image_size 32 does not divide", "patches of 3"],
    ),
    "group norms that do not divide a width": (
        "datasets.digits.autoencoder.norm_num_groups",
        5,
        ["config: datasets.digits.autoencoder", "16", "norm_num_groups 5"],
    ),
    "a student deeper than the image": (
        "students.convnet3.depth",
        6,
        ["config: students.convnet3 at 32 px (digits, digits)", "6"],
    ),
    "a batch table that ends too early": (
        "protocols.digits.batch_size",
        [[5, 50]],
        ["config: protocols.digits.batch_size: nothing for IPC 10", "up to IPC 5"],
    ),
    "a schedule's key that does nothing": (
        "protocols.digits.schedule.kind",
        "half-cosine",
        ["protocols.digits.schedule: 'at' has no effect with kind 'half-cosine'"],
    ),
    "soft labels without a teacher": (
        "protocols.digits.labels",
        "soft",
        ["config: protocols.digits: 'teacher' is missing (labels 'soft' needs it)"],
    ),
    "a teacher that nothing trains": (
        "protocols.rded.teacher.epochs",
        None,
        ["config: protocols.rded.teacher: 'epochs' is missing"],
    ),
    "a teacher trained by soft labels": (
        "protocols.rded.teacher.protocol",
        "rded",
        ["protocols.rded.teacher.protocol: 'rded' is no protocol with hard labels", "minimax"],
    ),
    "a teacher that is no student": (
        "protocols.rded.teacher.network",
        "resnet50",
        ["protocols.rded.teacher.network: 'resnet50' is not known", "resnet18-bn"],
    ),
    "a network's key that does nothing": (
        "students.convnet3.norm",
        "batch",
        ["config: students.convnet3: 'norm' has no effect with network 'convnet'"],
    ),
    "a network without its width": (
        "students.convnet3.width",
        None,
        ["config: students.convnet3: 'width' is missing (network 'convnet' needs it)"],
    ),
    "a source's key that does nothing": (
        "datasets.digits.root",
        "data/imagenet",
        ["config: datasets.digits: 'root' has no effect with source 'digits'"],
    ),
    "a source without its key": (
        "datasets.digits.split_seed",
        None,
        ["config: datasets.digits", "split_seed"],
    ),
    "a new denoiser without a training": (
        "datasets.digits.base",
        "null",
        ["config: datasets.digits.base: null is for a pretrained denoiser"],
    ),
    "a new denoiser tuned in part": (
        "datasets.digits.base.tune",
        "difffit",
        ["config: datasets.digits.base.tune: 'difffit'", "needs 'full'"],
    ),
    "a pretrained denoiser laid over a new one": (
        "datasets.digits.denoiser.pretrained",
        "facebook/DiT-XL-2-256",
        ["datasets.digits.denoiser: keys of a pretrained model (pretrained)", "head_dim"],
    ),
    "a learned variance that nothing learns": (
        "datasets.digits.sampler.semantics",
        "dit",
        ["config: datasets.digits.sampler.semantics: 'dit'", "learned_variance: true"],
    ),
    "a batch that does not divide among the devices": (
        "compute.training_gpus",
        3,
        ["config: datasets.digits.base.batch_size: 64 does not divide by", "3"],
    ),
    "a class that is not there": (
        "run.sweep.shown_class",
        10,
        ["config: run.sweep.shown_class: 10 is no label of 'digits'; allowed: 0 to 9"],
    ),
    "a crop that keeps from more to less": (
        "protocols.digits.augment.crop_scale",
        [1.0, 0.6],
        ["config: protocols.digits.augment.crop_scale: 1.0 is above 0.6"],
    ),
}


@pytest.mark.parametrize(
    ("path", "value", "words"), SCHEMA_MISTAKES.values(), ids=list(SCHEMA_MISTAKES)
)
def test_a_value_that_cannot_be_is_named_with_its_place(path, value, words):
    one_problem(changed(path, value), *words)


@pytest.mark.parametrize(
    ("path", "value", "words"), CROSS_MISTAKES.values(), ids=list(CROSS_MISTAKES)
)
def test_a_value_that_does_not_fit_the_others_is_named_with_its_place(path, value, words):
    assert any(all(word in line for word in words) for line in problems(changed(path, value))), (
        problems(changed(path, value))
    )


def test_all_mistakes_are_reported_at_once_one_line_each():
    config = changed("run.ipc", [-1])
    config["guidance"]["epsilon"] = "1e-3"
    config["run"]["sedes"] = 1
    with pytest.raises(ConfigError) as error:
        load_study(config, BASE)
    message = str(error.value).splitlines()
    assert message[0] == "wrong configuration:"
    assert [line.split(": ")[1] for line in message[1:]] == ["guidance.epsilon", "run", "run.ipc.0"]


def test_several_mistakes_between_values_are_reported_at_once():
    config = changed("run.sweep.ipc", 7)
    config["run"]["spectrum"]["ipc"] = 7
    config["guidance"]["steps"] = [5, 5]
    assert len(problems(config)) == 3


def test_mistakes_in_the_config_and_in_a_table_are_reported_at_once(tmp_path):
    config = table(tmp_path, "methods", lambda lines: [*lines, "x\t\tbase\tpairs\tdpp\tX"])
    config["guidance"]["epsilon"] = -1
    assert len(problems(config)) == 2
