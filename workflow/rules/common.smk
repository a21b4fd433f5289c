import os
import sys
from dataclasses import asdict
from pathlib import Path

sys.path.insert(0, f"{workflow.basedir}/workflow/lib")

from lighthouse.config import Cell, ConfigError, load_study
from lighthouse.runtime.bytecode import keep_bytecode
from lighthouse.runtime.digest import code_digest
from snakemake.exceptions import WorkflowError

keep_bytecode(os.environ, Path(".snakemake/pycache"))

try:
    study = load_study(config, workflow.basedir)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

# A cell of the grid as a path: one distilled set for each seed.
CELL = "{dataset}/{method}/ipc~{ipc}/eta_dpp~{eta_dpp}/mu_dm~{mu_dm}"
PRIOR = "{dataset}/{objective}/lambda~{lam}/lr~{lr}"

CORESETS = [name for name, method in study.methods.items() if method.coreset]
SAMPLED = [name for name, method in study.methods.items() if not method.coreset]


def one_of(names):
    """A regex for one of some words; of no words, one that never matches."""
    return "|".join(sorted(names)) or "(?!)"


NUMBER = r"\d[\d.e+-]*"


wildcard_constraints:
    dataset=one_of(study.run["datasets"]),
    method=one_of(study.methods),
    ipc=one_of(map(str, study.run["ipc"])),
    eta_dpp=NUMBER,
    mu_dm=NUMBER,
    lam=NUMBER,
    lr=NUMBER,
    objective=one_of({prior["objective"] for prior in study.config["priors"].values()}),
    student=one_of(study.config["students"]),
    protocol=one_of(study.config["protocols"]),


def code(script):
    """A digest of a script and of the modules behind it: their edits rerun the rule."""
    return code_digest(
        f"{workflow.basedir}/workflow/scripts/{script}", f"{workflow.basedir}/workflow/lib"
    )


def cell_of(wildcards):
    """The cell that a rule's wildcards name."""
    return Cell(
        wildcards.dataset,
        wildcards.method,
        int(wildcards.ipc),
        float(wildcards.eta_dpp),
        float(wildcards.mu_dm),
    )


def images_of(cell):
    """The file that holds a cell's decoded images."""
    return f"results/samples/{study.source(cell).path}/images.safetensors"


def latents_of(cell):
    """The file that holds a cell's latents."""
    return f"results/samples/{study.source(cell).path}/latents.safetensors"


def prior_of(wildcards):
    """The folder of the prior that a cell samples from."""
    prior = study.prior(wildcards.dataset, wildcards.method, int(wildcards.ipc))
    return f"results/priors/{wildcards.dataset}/{prior.path}"


def dataset_option(key):
    """A params function: one entry of the options of the wildcards' dataset."""
    return lambda wildcards: study.dataset(wildcards.dataset)[key]


def method_option(key):
    """A params function: one field of the wildcards' method."""
    return lambda wildcards: getattr(study.methods[wildcards.method], key)


def collect_cells(path, wildcards):
    """The files of all cells of the wildcards' method."""
    return [path(cell) for cell in study.cells_of(wildcards.dataset, wildcards.method)]


def as_rows(cells):
    """Cells as plain dictionaries, in the order of the files beside them."""
    return [asdict(cell) for cell in cells]
