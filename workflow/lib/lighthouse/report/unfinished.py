"""What a failed run leaves: tables and figures are made all the same, and say what is missing.

A job whose inputs were not made cannot run, so one failed method would leave a study with
the tables of an older run, or with none. Here they are made from what is up to date; an
input that is not is named to the script, whose rows then say ``missing``.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

LIBRARY = Path(__file__).resolve().parents[2]
#: Rules whose outputs people look at.
SHOWN = ("table_", "figure_")


def remake(dag: object) -> tuple[list[str], list[str]]:
    """Make what of a stopped run's tables and figures can be made.

    ``dag``: Snakemake's, behind a run with a failed job. A rule that has a parameter
    ``absent`` does without inputs that are not up to date; another one is run only where
    all of its inputs are. Returns the paths that were made, and those that were not.
    What is made here looks old to Snakemake: the next run makes it again.
    """
    unfinished = set(dag.needrun_jobs())
    stale = {str(path) for job in unfinished for path in job.output}
    made, left = [], []
    for job in (job for level in dag.toposorted() for job in level):
        if job not in unfinished or not job.rule.name.startswith(SHOWN):
            continue
        outputs = list(map(str, job.output))
        absent = [str(path) for path in job.input if str(path) in stale]
        inputs_new = any(str(path) in made for path in job.input)
        can = hasattr(job.params, "absent") if absent else inputs_new
        if can and _run(job, absent):
            made += outputs
            stale -= set(outputs)
        else:
            left += outputs
    for path in made:
        os.utime(path, (1, 1))
    return made, left


def _run(job: object, absent: list[str]) -> bool:
    """Run a job's script in a process of its own; whether it went well."""
    groups = {
        name: dict(getattr(job, name).items())
        for name in ("input", "output", "params", "wildcards")
    }
    groups["params"]["absent"] = absent
    described = {**groups, "threads": 1, "log": str(job.log[0]) if job.log else None}
    script = LIBRARY.parent / "scripts" / Path(job.rule.script).name
    search = os.pathsep.join(filter(None, [str(LIBRARY), os.environ.get("PYTHONPATH")]))
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as file:
        json.dump(described, file)
        file.flush()
        done = subprocess.run(
            [sys.executable, str(script), "--job", file.name],
            env={**os.environ, "PYTHONPATH": search},
            capture_output=True,
            check=False,
        )
    return done.returncode == 0
