"""The config: the shipped one is right, and each mistake is named."""

import copy
import subprocess
import sys

import pytest
import yaml
from snakemake.utils import update_config

from lighthouse.config import ConfigError, load_study
from shipped import BASE, SHIPPED


def changed(path, value):
    """The shipped config with the entry at a dotted path set, removed where None."""
    config = copy.deepcopy(SHIPPED)
    *parents, last = path.split(".")
    place = config
    for key in parents:
        place = place[key]
    if value is None:
        del place[last]
    elif value == "null":
        place[last] = None
    else:
        place[last] = value
    return config


def table(tmp_path, name, edit):
    """The shipped config with a table whose lines went through ``edit``."""
    lines = (BASE / "config" / f"{name}.tsv").read_text().splitlines()
    path = tmp_path / f"{name}.tsv"
    path.write_text("\n".join(edit(lines)) + "\n")
    return changed(f"tables.{name}", str(path))


def problems(config):
    with pytest.raises(ConfigError) as error:
        load_study(config, BASE)
    return error.value.problems


def one_problem(config, *words):
    (line,) = problems(config)
    assert [word for word in words if word not in line] == [], line


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


METHOD_ROWS = {
    "unknown prior": (
        "x\t\tbas\tiid\t\tX",
        ["x: prior 'bas' is not known; allowed: base, control, rsm"],
    ),
    "unknown coupling": (
        "x\t\tbase\tpairs\tdpp\tX",
        ["line 9: coupling: 'pairs' is not known; allowed: iid, sequential, joint"],
    ),
    "unknown guidance term": (
        "x\t\tbase\tjoint\tdpp+mode\tX",
        ["x: guidance term 'mode' is not known; allowed: dpp, mean"],
    ),
    "a term twice": ("x\t\tbase\tjoint\tdpp+dpp\tX", ["x: a guidance term is named twice"]),
    "unknown coreset": ("x\therding\t\t\t\tX", ["line 9: coreset: 'herding'", "allowed: random"]),
    "coreset and prior": ("x\trandom\tbase\tiid\t\tX", ["line 9: a row is either a coreset"]),
    "neither": ("x\t\t\t\t\tX", ["line 9: a row is either a coreset, or a prior"]),
    "prior without coupling": ("x\t\tbase\t\t\tX", ["line 9", "'coupling' is missing"]),
    "iid with dpp": (
        "x\t\tbase\tiid\tdpp\tX",
        ["x: coupling 'iid' with guidance 'dpp'", "allowed: sequential or joint"],
    ),
    "joint without guidance": (
        "x\t\tbase\tjoint\t\tX",
        ["x: coupling 'joint' without guidance", "'iid'"],
    ),
    "two rows of one name": ("dit\t\tbase\tiid\t\tX", ["methods.tsv: dit has two rows"]),
    "a name unfit for a path": ("X/Y\t\tbase\tiid\t\tX", ["line 9: method: 'X/Y'"]),
    "no label": ("x\t\tbase\tiid\t\t", ["line 9: 'label' is missing"]),
    "a field too many": ("x\t\tbase\tiid\t\tX\tY", ["line 9: more fields than columns"]),
}


@pytest.mark.parametrize(("row", "words"), METHOD_ROWS.values(), ids=list(METHOD_ROWS))
def test_a_wrong_row_of_the_method_table_is_named(tmp_path, row, words):
    config = table(tmp_path, "methods", lambda lines: [*lines, row])
    one_problem(config, str(tmp_path / "methods.tsv"), *words)


HYPERPARAMETER_ROWS = {
    "negative weight": (
        "digits\t10\t0.005\t0.001\t-1\t1000",
        ["line 4: eta_dpp: -1", "minimum of 0"],
    ),
    "a word for a number": (
        "digits\t10\tfive\t0.001\t100\t1000",
        ["line 4: lambda: 'five' is not of type number"],
    ),
    "a weight that is not a number": (
        "digits\t10\t0.005\t0.001\tnan\t1000",
        ["line 4: eta_dpp", "nan"],
    ),
    "an infinite rate": ("digits\t10\t0.005\tinf\t100\t1000", ["line 4: learning_rate", "inf"]),
    "a fraction for an IPC": ("digits\t10.5\t0.005\t0.001\t100\t1000", ["line 4: ipc: '10.5'"]),
    "an empty field": ("digits\t10\t\t0.001\t100\t1000", ["line 4: 'lambda' is missing"]),
    "a mean weight that overshoots": (
        "digits\t10\t0.005\t0.001\t100\t20481",
        ["digits, IPC 10: mu_dm 20481 overshoots", "allowed: at most 20480"],
    ),
}


@pytest.mark.parametrize(
    ("row", "words"), HYPERPARAMETER_ROWS.values(), ids=list(HYPERPARAMETER_ROWS)
)
def test_a_wrong_row_of_the_hyperparameter_table_is_named(tmp_path, row, words):
    config = table(tmp_path, "hyperparameters", lambda lines: [*lines[:3], row])
    one_problem(config, str(tmp_path / "hyperparameters.tsv"), *words)


def test_two_rows_for_one_ipc_are_refused(tmp_path):
    config = table(tmp_path, "hyperparameters", lambda lines: [*lines, lines[-1]])
    one_problem(config, "hyperparameters.tsv: digits 10 has two rows")


def test_the_largest_mean_weight_that_does_not_overshoot_is_allowed(tmp_path):
    row = "digits\t10\t0.005\t0.001\t100\t20480"
    load_study(table(tmp_path, "hyperparameters", lambda lines: [*lines[:3], row]), BASE)


def test_a_table_that_does_not_exist_is_named():
    one_problem(changed("tables.methods", "no/such.tsv"), "no/such.tsv", "cannot be read")


def test_a_column_of_another_name_is_named_with_those_allowed(tmp_path):
    def rename(lines):
        return [line.replace("eta_dpp", "eta") for line in lines[:2]]

    lines = problems(table(tmp_path, "hyperparameters", rename))
    (line,) = lines
    assert "line 1: no column eta_dpp" in line
    assert "wanted: dataset, ipc" in line


def test_an_empty_line_does_not_shift_the_line_numbers(tmp_path):
    config = table(tmp_path, "methods", lambda lines: [*lines, "", "x\t\tbase\tpairs\tdpp\tX"])
    one_problem(config, "line 10: coupling")


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


def test_a_table_may_lie_anywhere(tmp_path, monkeypatch):
    table(tmp_path, "methods", lambda lines: lines)
    monkeypatch.chdir(tmp_path)
    study = load_study(changed("tables.methods", "methods.tsv"), BASE)
    assert list(study.methods) == SHIPPED["run"]["methods"]


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
