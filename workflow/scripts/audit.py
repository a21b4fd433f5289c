"""Rule `audit`: what must hold between the finished tables and figures."""

from lighthouse.runtime.job import log, start

job = start(globals().get("snakemake"))

from lighthouse.report.audit.checks import (  # noqa: E402
    audit,
    message,
    read_results,
    summary,
    unlisted,
)
from lighthouse.runtime.errors import DataError  # noqa: E402
from lighthouse.runtime.files import write_json  # noqa: E402

results = read_results(job.input.finished, job.input.published, job.params.cells, job.params.images)
report = audit(results, job.params.expected)
write_json(job.output.report, report)
if report["findings"]:
    # Snakemake removes what a failed job wrote: the log keeps all that was found.
    for words in unlisted(report):
        log.debug("%s", words)
    raise DataError(message(report, job.log))
job.done(summary(report))
