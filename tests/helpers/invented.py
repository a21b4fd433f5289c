"""The invented study of the audit's tests: the tiny one with more, or less, of what a study has."""

import copy

import yaml
from snakemake.utils import update_config

from lighthouse.config.load import load_study
from repository import ROOT
from shipped import LEFT_OUT, SHIPPED

STUDENT = "convnet3"
#: A set made elsewhere, both ceilings, more student seeds than a cell of the ablation has, a sweep
#: of the sampler's steps, and a guidance scale that is chosen.
MORE = {
    "run": {
        "student_seeds": [0, 1],
        "students": [STUDENT],
        "reconstructed": True,
        "ablation": {"students": [STUDENT]},
        "sweep": {"students": [STUDENT], "values": {"sampler.steps": [5]}},
        "tuning": {"guidance_scale_ipc": 2},
    },
    "datasets": {"digits": {"sampler": {"guidance_scale": [1.0, 2.0, 4.0]}}},
    "external": {"theirs": {"dataset": "digits", "root": "x", "ipc": 2, "label": "Theirs"}},
}
#: Base priors that train until their held-out loss is flat.
STOP = {"every": 10, "patience": 2, "least": 0.01, "steps": None, "minutes": None}
TRAPEZOID = {"kind": "trapezoid", "warmup_steps": 5, "cooldown": 0.2}
#: As little as a study can have.
LESS = {
    "run": {
        "methods": ["random", "dit", "control", "rsm", "rsm-cgs"],
        **LEFT_OUT,
        "ceiling": False,
    }
}


def invented_study(more=MORE):
    """The tiny study of the tests with more, or less, of what a study can have."""
    config = copy.deepcopy(SHIPPED)
    tiny = yaml.safe_load((ROOT / "tests" / "configs" / "tiny.yaml").read_text("utf-8"))
    for change in (tiny, more):
        update_config(config, change)
    if more is not LESS:
        base = config["datasets"]["digits"]["base"]
        del base["steps"]
        base |= {"stop": STOP, "schedule": TRAPEZOID}
    return load_study(config, ROOT)
