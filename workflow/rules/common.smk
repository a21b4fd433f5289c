import os
import re
import sys
from dataclasses import asdict
from functools import cache
from pathlib import Path

sys.path.insert(0, f"{REPOSITORY}/workflow/lib")

from lighthouse.config import jobs, paths, prior_check
from lighthouse.config import rows, stamps
from lighthouse.config.batches import COMPOSED, EXTERNAL, REAL, SAMPLED, SCALED
from lighthouse.config.batches import SCALES, TRIED, WEIGHTS
from lighthouse.config.batches import batches
from lighthouse.config.batches import sampled_by, tried_by
from lighthouse.config.expectations import expectations
from lighthouse.config.grid import BASE, CEILINGS
from lighthouse.config.load import check_name, load_study
from lighthouse.config.presets import default_file, over_shipped, preset_files
from lighthouse.config.reader import check_files, check_words
from lighthouse.config.schema import ConfigError
from lighthouse.datasets.downloads import ARCHIVES
from lighthouse.parts import extractors
from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.report.front_page import is_asked_for, write_first_page
from lighthouse.report.items import items, template_digest
from lighthouse.runtime.arithmetic import make_portable
from lighthouse.runtime.bytecode import keep_bytecode
from lighthouse.runtime.digest import code_digest
from lighthouse.runtime.faults import barred
from lighthouse.runtime.stopped import JOBS_PREFIX, Stopped
from lighthouse.runtime.weights import RESNET18
from lighthouse.runtime.terminal import folder_from, speak_readably
from snakemake.common import NOTHING_TO_BE_DONE_MSG
from snakemake.exceptions import WorkflowError
from snakemake.logging import logger

keep_bytecode(os.environ, Path(".snakemake/pycache"))

# Whether another workflow uses this one (`module`). Its files and its folder are its own then: its
# config is laid over the default here, relative paths and results are where it runs.
IN_MODULE = not workflow.modifier.is_main_snakefile()

# Not in a job's own Snakemake, on a cluster's node.
if workflow.is_main_process:
    stopped = Stopped(logger)
    if not IN_MODULE:  # whose shell commands are its own
        shell.prefix(JOBS_PREFIX)

# Over the default, and the study's own keys once more over these.
for preset in [] if IN_MODULE else preset_files(config, REPOSITORY):

    configfile: f"{preset}"


try:
    if IN_MODULE:
        study = load_study(over_shipped(config, REPOSITORY), REPOSITORY, home=Path.cwd())
    else:
        if workflow.is_main_process:  # jobs are given the same files
            check_words(sys.argv)
            shipped = [default_file(REPOSITORY), *preset_files(config, REPOSITORY)]
            check_files([*shipped, *workflow.overwrite_configfiles])
        study = load_study(config, REPOSITORY)
        if workflow.overwrite_workdir is None:
            check_name(study)
except ConfigError as error:
    raise WorkflowError(str(error)) from None

if workflow.is_main_process:
    for line in study.left_out:
        logger.info(line)

if IN_MODULE and workflow.modifier.modify_path(paths.RESULTS) != paths.RESULTS:
    raise WorkflowError(
        "module: has a prefix, which does not reach the paths in jobs' parameters; leave out `prefix` "
        "and `replace_prefix`, and run Snakemake in another folder instead"
    )

# Jobs inherit the environment. On a cluster Snakemake reads this file on the job's node, too.
if study.config["compute"]["portable"]:
    make_portable(os.environ)

# Before Snakemake finds out by itself, with a traceback.
OWN_FOLDER = None if IN_MODULE or workflow.overwrite_workdir else study.folder
HERE = Path(OWN_FOLDER or ".")
for place in (".snakemake", paths.RESULTS):
    if why := barred(HERE / place):
        raise WorkflowError(why)

# Each study has a folder of its own, so that no result of another is overwritten;
# --directory names another one.
if OWN_FOLDER:

    workdir: OWN_FOLDER


# As it is named where the command was typed, so that what is said of a result can be opened there.
FOLDER = folder_from(workflow.rundir, HERE.resolve())
if workflow.is_main_process:
    behind = {NOTHING_TO_BE_DONE_MSG: lambda: closing_words()}
    speak_readably(logger, os.environ, FOLDER, behind)

BATCHES = {(batch.dataset, batch.name): batch for batch in batches(study)}
SHARDED = [name for name in study.run["datasets"] if len(study.shards(name)) > 1]
WHOLE = [name for name in study.run["datasets"] if name not in SHARDED]
DOWNLOADS = study.place(study.config["downloads"])
# Files of pretrained weights by name: extractors go by their kind.
DOWNLOADED = {
    "resnet18": RESNET18,
    **{kind.name: kind.download for kind in extractors.EXTRACTORS.values() if kind.download},
}
# Repositories of the hub that the study takes models from, each with its commit.
HUB = {
    (given["pretrained"], given["revision"])
    for name in study.run["datasets"]
    for given in map(study.dataset(name).get, ("autoencoder", "denoiser"))
    if given.get("revision")
}
# The first replicate, by whose base prior the check of ``run.prior_check`` goes, on which datasets,
# and the student and protocol that judge.
FIRST = str(next(iter(study.replicates)))
CHECKED = prior_check.checked(study)
CHECKED_BY = prior_check.student_of(study)
# Threads of what decodes images while others run: half of the cores. Snakemake keeps no core free for a
# job that waits for all of them, so that on a few cores that one would wait until nothing else can run.
BESIDE = (
    max(1, min(8, (workflow.resource_settings.cores or 16) // 2)) if workflow.is_main_process else 8
)
GPUS = study.config["compute"]["training_gpus"]
ITEMS = items(study)
TEMPLATES = template_digest()


def report_text():
    """The file of the report's first page: written where the report is asked for."""
    about = REPOSITORY / "workflow" / "report" / "workflow.rst"
    if not (workflow.is_main_process and is_asked_for()):
        return str(about)
    page = Path(".snakemake/first_page.rst").absolute()
    return str(write_first_page(Path(paths.RESULTS), about, page))


def one_of(names):
    """A regex for one of some words; of no words, one that never matches."""
    return "|".join(map(re.escape, sorted(names))) or "(?!)"


def batch_names(*kinds):
    """A regex for the names of batches of some kinds."""
    return one_of(batch.name for batch in BATCHES.values() if batch.kind in kinds)


wildcard_constraints:
    dataset=one_of(study.run["datasets"]),
    batch=batch_names(REAL, COMPOSED, SAMPLED, EXTERNAL, TRIED, SCALED),
    shard=r"\d+",
    size=r"\d+",
    resize=r"\d[\d.e+-]*",
    replicate=one_of(map(str, study.replicates)),
    prior=one_of(path for d in study.run["datasets"] for path in study.priors(d)),
    student=one_of(study.config["students"]),
    protocol=one_of(study.config["protocols"]),


def code(script, makers=()):
    """A digest of a script and of what it reaches of the package: an edit of it reruns the rule.

    So does another arithmetic (``compute.portable``), under which the same code computes other bytes.
    makers: functions that the script loads by name, ``module:function``.
    """
    digest = code_of(script, tuple(makers))
    return f"{digest} portable" if study.config["compute"]["portable"] else digest


@cache
def code_of(script, makers):
    """``code``, reckoned once a start: a large study asks for it at each of its jobs."""
    folder = f"{REPOSITORY}/workflow"
    return code_digest(f"{folder}/scripts/{script}", f"{folder}/lib", makers)
