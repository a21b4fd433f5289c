"""Rule `study_record`: what the tables and figures beside it were computed with."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.runtime.files import write_json  # noqa: E402
from lighthouse.runtime.provenance import versions  # noqa: E402

write_json(
    job.output.record,
    {
        "config": job.params.config,
        "methods": job.params.methods,
        "hyperparameters": job.params.hyperparameters,
        "versions": versions(),
    },
)
job.done(f"record of {len(job.params.methods)} methods")
