"""Values of the config that do not fit each other: each mistake is named with its place."""

import pytest

from lighthouse.config.load import load_study
from repository import ROOT
from shipped import SHIPPED, changed, one_problem, problems, table

PUBLISHED = {
    "dataset": ("imagenett", "published.tsv, line 2: dataset: 'imagenett' is not known; allowed:"),
    "student": ("convnet-6", "published.tsv: student 'convnet-6' is not known; allowed: convnet2"),
    "protocol": (
        "igdd",
        "published.tsv: protocol 'igdd' is not known; allowed: digits, digits-vit, minimax",
    ),
    "top1": ("146.0", "published.tsv, line 2: top1: 146.0 is greater than the maximum of 100"),
    "ipc": ("ten", "published.tsv, line 2: ipc: 'ten' is not a name; allowed: images per class"),
    "source": ("", "published.tsv, line 2: 'source' is missing"),
}


@pytest.mark.parametrize("column", PUBLISHED)
def test_a_published_figure_that_would_find_no_row_is_told(tmp_path, column):
    value, words = PUBLISHED[column]

    def edit(lines):
        fields = lines[1].split("\t")
        fields[lines[0].split("\t").index(column)] = value
        return [lines[0], "\t".join(fields), *lines[2:]]

    one_problem(table(tmp_path, "published", edit), words)


def test_a_published_figure_is_listed_once(tmp_path):
    one_problem(
        table(tmp_path, "published", lambda lines: [*lines, lines[1]]),
        "published.tsv, line 89: imagenette convnet6 igd random 10 Xu et al. 2026",
        "has two rows",
    )


MISTAKES = {
    "unknown method": (
        "run.methods",
        [*SHIPPED["run"]["methods"], "cgss"],
        ["config: run.methods: 'cgss' is not known; allowed: random, herding"],
    ),
    "unknown dataset": (
        "run.datasets",
        ["digts"],
        ["run.datasets: 'digts' is not known; allowed: digits"],
    ),
    "unknown student": (
        "run.students",
        ["convnet7"],
        ["run.students: 'convnet7' is not known; allowed: convnet2, convnet3, convnet6"],
    ),
    "unknown protocol": (
        "run.protocols",
        ["field"],
        ["run.protocols: 'field' is not known; allowed: digits, digits-vit, minimax"],
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
        [
            "config: run.sweep.method: 'dit' has no lambda and no eta_dpp and no mu_dm to sweep",
            "but sampler.steps",
            "allowed: rsm-cgs, rsm-greedy",
        ],
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
        ["config: run.spectrum.curves: source 'real' is that of two curves"],
    ),
    "two curves of one method": (
        "run.spectrum.curves",
        [{"source": "real", "method": "dit"}, {"source": "DiT", "method": "dit"}],
        ["config: run.spectrum.curves: method 'dit' is that of two curves"],
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
    "no guided steps": (
        "guidance.influence.steps",
        [500, 500],
        ["config: guidance.influence.steps: the first step 500 is not below the last 500"],
    ),
    "a base prior that is not plain": (
        "priors.base",
        {"objective": "rsm", "lambda": 0},
        ["config: priors.base: must be {objective: plain}"],
    ),
    "a tuned prior without lambda": (
        "priors.control",
        {"objective": "rsm"},
        ["config: priors.control: 'lambda' is missing (objective 'rsm' needs it)"],
    ),
    "a minimax prior without its memory": (
        "priors.minimax.memory",
        None,
        ["config: priors.minimax: 'memory' is missing (objective 'minimax' needs it)"],
    ),
    "a minimax prior with RSM's key": (
        "priors.minimax.lambda",
        0.1,
        ["config: priors.minimax: 'lambda' has no effect with objective 'minimax'; leave it out"],
    ),
    "a minimax prior with RSM's tuning": (
        "priors.minimax.tuning",
        {"l1_centre": "none", "tune": "difffit"},
        ["config: priors.minimax.tuning: 'l1_centre' has no effect with objective 'minimax'"],
    ),
    "an RSM prior with MiniMax's key": (
        "priors.rsm.positive",
        0.1,
        ["config: priors.rsm: 'positive' has no effect with objective 'rsm'; leave it out"],
    ),
    "a surrogate of no known network": (
        "datasets.digits.surrogate.network",
        "vgg",
        ["config: datasets.digits.surrogate.network: 'vgg' is not known; allowed: convnet2"],
    ),
    "a surrogate deeper than the images": (
        "datasets.digits.surrogate.network",
        "convnet6",
        ["config: datasets.digits.surrogate.network: 'convnet6': 6 halvings", "depth at most 4"],
    ),
    "a surrogate's crop that keeps from more to less": (
        "datasets.digits.surrogate.augment.crop_scale",
        [1.0, 0.6],
        ["config: datasets.digits.surrogate.augment.crop_scale: 1.0 is above 0.6"],
    ),
    "a classifier of no known network": (
        "datasets.digits.classifier.network",
        "vgg",
        ["config: datasets.digits.classifier.network: 'vgg' is not known; allowed: convnet2"],
    ),
    "a classifier deeper than the images": (
        "datasets.digits.classifier.network",
        "convnet6",
        ["config: datasets.digits.classifier: 6 halvings", "depth at most 4"],
    ),
    "a classifier that nothing trains": (
        "datasets.digits.classifier.epochs",
        None,
        ["config: datasets.digits.classifier: 'epochs' is missing (weights null means that the"],
    ),
    "a classifier trained by soft labels": (
        "datasets.digits.classifier.protocol",
        "rded",
        ["datasets.digits.classifier.protocol: 'rded' is no protocol with hard labels", "minimax"],
    ),
    "a training of a classifier with weights": (
        "datasets.digits.classifier.weights",
        "own.pth",
        ["config: datasets.digits.classifier: 'epochs' has no effect with weights; leave it out"],
    ),
    "a surrogate that is missing": (
        "datasets.digits.surrogate",
        None,
        ["config: datasets.digits: 'surrogate' is missing (dit-igd needs it)"],
    ),
    "a pair of one method": (
        "run.comparisons.pairs",
        [["rsm", "rsm"]],
        ["config: run.comparisons.pairs: 'rsm' is compared with itself"],
    ),
    "a pair of an unknown method": (
        "run.comparisons.pairs",
        [["rsm", "rmsp"]],
        ["config: run.comparisons.pairs: 'rmsp' is not known; allowed: random"],
    ),
    "a base of comparisons that is not run": (
        "run.comparisons.base",
        "rsm-mean",
        ["config: run.comparisons.base: 'rsm-mean' is not known; allowed: random"],
    ),
    "an option without effect": (
        "datasets.digits.tuning.learning_rate",
        0.1,
        ["config: datasets.digits.tuning: 'learning_rate' has no effect"],
    ),
    "an image that does not divide into patches": (
        "datasets.digits.denoiser.patch_size",
        3,
        ["image_size 16 does not divide", "patches of 3"],
    ),
    "a batch table that ends too early": (
        "protocols.digits.batch_size",
        [[5, 50]],
        ["config: protocols.digits.batch_size: nothing for IPC 10", "up to IPC 5"],
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
        "students.convnet2.norm",
        "batch",
        ["config: students.convnet2: 'norm' has no effect with network 'convnet'"],
    ),
    "a network without its width": (
        "students.convnet2.width",
        None,
        ["config: students.convnet2: 'width' is missing (network 'convnet' needs it)"],
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
    "an autoencoder that nothing trains": (
        "datasets.digits.autoencoder.losses",
        {"squared": 0, "perceptual": 0},
        ["config: datasets.digits.autoencoder.losses: all weights are 0"],
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
    "embeddings of ImageNet for classes that are none of its": (
        "datasets.digits.denoiser",
        {"pretrained": "a/model", "revision": None, "class_embeddings": "imagenet"},
        ["config: datasets.digits.denoiser.class_embeddings: those of digits are no classes"],
    ),
    "a learned variance that nothing learns": (
        "datasets.digits.sampler.semantics",
        "dit",
        ["config: datasets.digits.sampler.semantics: 'dit'", "learned_variance: true"],
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

#: Where one value does not fit several others, each of which is a line.
MANIFOLD_MISTAKES = {
    "more images than the real ones for a coreset": (
        "run.ipc",
        [1, 5, 10, 97],
        ["config: run.ipc: 97 is above the 96 real images", "random, herding"],
    ),
    "group norms that do not divide a width": (
        "datasets.digits.autoencoder.norm_num_groups",
        5,
        ["config: datasets.digits.autoencoder", "16", "norm_num_groups 5"],
    ),
    "a student deeper than the images that it is shown": (
        "run.students",
        ["convnet2", "convnet6"],
        ["config: students.convnet6 at 16 px (digits, digits)", "6 halvings"],
    ),
    "a warmup of a constant rate": (
        "datasets.digits.base.schedule.kind",
        "constant",
        ["config: datasets.digits.base.schedule: 'warmup' has no effect with kind 'constant'"],
    ),
    "an autoencoder's cycle without a warmup": (
        "datasets.digits.autoencoder.schedule",
        {"kind": "one-cycle"},
        ["datasets.digits.autoencoder.schedule: 'warmup' is missing (kind 'one-cycle' needs it)"],
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
    "a batch that does not divide among the devices": (
        "compute.training_gpus",
        3,
        ["config: datasets.digits.base.batch_size: 64 does not divide by", "3"],
    ),
}


@pytest.mark.parametrize(("path", "value", "words"), MISTAKES.values(), ids=list(MISTAKES))
def test_a_value_that_does_not_fit_the_others_is_one_line_with_its_place(path, value, words):
    one_problem(changed(path, value), *words)


@pytest.mark.parametrize(
    ("path", "value", "words"), MANIFOLD_MISTAKES.values(), ids=list(MANIFOLD_MISTAKES)
)
def test_a_value_that_does_not_fit_several_others_is_named_with_its_place(path, value, words):
    lines = problems(changed(path, value))
    assert any(all(word in line for word in words) for line in lines), lines
    assert len(lines) == len(set(lines)) <= 4, lines


def test_several_mistakes_between_values_are_reported_at_once():
    config = changed("run.sweep.ipc", 7)
    config["run"]["spectrum"]["ipc"] = 7
    config["guidance"]["dpp"]["steps"] = [5, 5]
    assert len(problems(config)) == 3


def test_an_autoencoder_is_judged_by_an_extractor_that_has_layers():
    config = changed("datasets.digits.autoencoder.losses", {"squared": 1, "perceptual": 1})
    load_study(config, ROOT)
    config["datasets"]["digits"]["extractor"] = {
        "kind": "inception",
        "name": "inception",
        "weights": None,
    }
    one_problem(config, "losses.perceptual: an extractor of kind 'inception'", "squeezenet")
    config["datasets"]["digits"]["autoencoder"]["losses"]["perceptual"] = 0
    load_study(config, ROOT)
