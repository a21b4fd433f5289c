"""Rule `figure_lighthouse`: joint and sequential sets on the map of real images, and utility."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

import pandas as pd  # noqa: E402

from lighthouse.report.figures import save_figure  # noqa: E402
from lighthouse.report.lighthouse_figure import lighthouse_figure, seed_points  # noqa: E402
from lighthouse.runtime.errors import DataError  # noqa: E402
from lighthouse.tables import write_rows  # noqa: E402

# After a failed run, datasets of which a file is not there are left out, and named.
parts = dict(
    zip(
        job.params.datasets,
        zip(job.input.tables, job.input.maps, job.input.tests, strict=True),
        strict=True,
    )
)
absent = set(map(str, job.params.absent))
there = {name: paths for name, paths in parts.items() if absent.isdisjoint(map(str, paths))}
if not there:
    raise DataError(f"no lighthouse figure: no utility of sets of {', '.join(parts)}")
measures, maps, tests = (
    pd.concat([pd.read_csv(path) for path in paths], ignore_index=True)
    for paths in zip(*there.values(), strict=True)
)
missing = [name for name in parts if name not in there]
points = seed_points(measures)
figure = lighthouse_figure(points, maps, tests, f"missing: {', '.join(missing)}" if missing else "")
save_figure(figure, [job.output.pdf, job.output.png])
write_rows(job.output.csv, points.to_dict("records"))
write_rows(job.output.map, maps.to_dict("records"))
job.done(f"lighthouses of {len(there)} datasets")
