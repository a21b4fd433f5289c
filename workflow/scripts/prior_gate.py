"""Rule `prior_gate`: stops what would sample from a base prior that is useless."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.report.prior_verdict import check_gate  # noqa: E402
from lighthouse.runtime.files import read_json, write_json  # noqa: E402

record = read_json(job.input.record)
check_gate(record, job.params.on_useless)
write_json(job.output.gate, {"verdict": record["verdict"]})
job.done(f"base prior: {record['verdict']}")
