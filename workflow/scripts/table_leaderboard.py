"""Rule `table_leaderboard`: every system in one table, as CSV, Markdown, LaTeX and a page."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.report.leaderboard import COLUMNS, elsewhere, leaderboard_rows  # noqa: E402
from lighthouse.report.page import page  # noqa: E402
from lighthouse.report.render import latex, markdown  # noqa: E402
from lighthouse.report.sheets import Context, overall, sheets  # noqa: E402
from lighthouse.report.tables import write_text  # noqa: E402
from lighthouse.tables import read_rows, write_rows  # noqa: E402

names = ("accuracy", "significance", "diversity", "fid", "cost", "published")
tables = {name: read_rows(getattr(job.input, name)) for name in names}
specs, base = job.params.rows, job.params.base
rows = leaderboard_rows(specs, tables, job.params.students, base)
context = Context(
    base=next((spec["label"] for spec in specs if spec["method"] == base), None),
    real=frozenset(spec["method"] for spec in specs if spec["real"]),
    alpha=job.params.alpha,
)
found = sheets(rows, context, elsewhere(specs, tables["published"], rows))
write_rows(job.output.table, rows, COLUMNS)
write_text(job.output.markdown, markdown(found))
write_text(job.output.latex, latex(found))
write_text(job.output.page, page(found, rows, overall(rows, context)))
job.done(f"{len(rows)} rows in {len(found)} tables")
