import json
import sys
from pathlib import Path

from lighthouse import manifest
from lighthouse.config import paths
from lighthouse.config.disk import missing
from lighthouse.report import closing
from lighthouse.report.unfinished import make_all, message
from lighthouse.runtime.cells import forget_failures
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.terminal import openable
from snakemake.exceptions import WorkflowError


def check_data(study):
    """Stop before any job where data or weights are not where the config says."""
    found = missing(study)
    if found:
        raise WorkflowError("\n".join(["missing data:", *(f"  - {line}" for line in found)]))


def tell(text):
    """Say something behind a run, with paths that open where the command was typed."""
    print(f"\n{openable(text, FOLDER)}", file=sys.stderr)


def makes_all():
    """Whether the run was asked for the whole study."""
    return any(job.rule.name == "all" for job in workflow.dag.jobs)


def closing_words():
    """The last lines of a study: what to take, what that rests on, what to do next.

    "" where the run was asked for less, or there is no recommendation.
    """
    if not makes_all():
        return ""
    base = Path(workflow.rundir)
    files = [closing.shown(file, base) for file in workflow.config_settings.configfiles]
    given = [
        *study_arguments(files),
        *(["--directory", FOLDER or "."] if workflow.overwrite_workdir else []),
    ]
    lines = closing.lines(Path(paths.RESULTS), given, FOLDER)
    return "\n".join(["", *lines]) if lines else ""


def tell_results():
    """Say them."""
    if words := closing_words():
        print(words, file=sys.stderr)


def tell_what_there_is():
    """Behind a failed run say them, too, where its tables were made of what there is."""
    table = Path(paths.table("recommendation"))
    if began is not None and table.is_file() and table.stat().st_mtime_ns >= began:
        tell_results()


def show_missing(found):
    """Behind a failed run, make the tables and figures that can be made, and tell which."""
    tell(message(*make_all(found)))


def tell_stopped():
    """Behind a run that somebody stopped, end: all that there is to say was said."""
    if stopped.by:
        forget_failures(paths.BATCHES)  # the next run tries them again
        sys.exit(stopped.status)


def tell_failed_cells():
    """Name the cells that failed though their jobs ended; the next run tries them again."""
    failed, left = forget_failures(paths.BATCHES)
    if failed:
        behind = [f"{len(left)} more are made from these, and were left out."] if left else []
    else:  # of a shard, whose record is gone: its log says why
        behind = [f"  - {path}: without {source}" for path, source in left.items()]
    if failed or left:
        lines = [f"  - {path}: {error}" for path, error in failed.items()]
        tell("\n".join(["Failed:", *lines, *behind]))
    return bool(failed or left)


#: Since when what is written is this run's; None before it has begun.
began = None


def begin_manifest():
    """Mark that results are written from now on; ``--touch`` writes none."""
    global began
    if not workflow.touch:
        began = manifest.begin(paths.RESULTS)


def enter_results(done):
    """Enter what the run wrote in the manifest, and tell what was changed behind it.

    done: whether all jobs and cells were. Returns whether there was something to tell: what the run
    made of a changed file is as wrong as that file.
    """
    if began is None:
        return False
    found = workflow.dag.jobs
    whole = done and makes_all()
    about = manifest.about_run(paths.RESULTS, study, study_arguments())
    try:
        changed = manifest.enter(paths.RESULTS, about, manifest.makers_of(found), whole, began)
    except (DataError, OSError) as error:
        changed = f"no manifest was written: {error}"
    if changed:
        tell(changed)
    return bool(changed)


def study_arguments(files=None):
    """Those of Snakemake's arguments that say which study it is.

    files: names of its config files; without, those of the repository, relative to it.
    """
    given, base = workflow.config_settings, REPOSITORY
    if files is None:
        files = [closing.shown(file, base) for file in given.configfiles]
    values = [f"{key}={json.dumps(value)}" for key, value in (given.config or {}).items()]
    return [
        *(["--configfile", *files] if files else []),
        *(["--config", *values] if values else []),
    ]
