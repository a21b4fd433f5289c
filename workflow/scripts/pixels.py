"""Rule `pixels`: the real images that students are judged by, at their size."""

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.datasets.index import ImageIndex  # noqa: E402
from lighthouse.runtime.files import write_arrays  # noqa: E402
from lighthouse.runtime.provenance import provenance  # noqa: E402

index = ImageIndex.read(job.input.index)
size, resize = int(job.wildcards.size), float(job.wildcards.resize)
arrays = {}
for part in ("val", "test"):
    arrays[part] = index.images(part, size, job.threads, resize=resize)
    arrays[f"{part}_labels"] = index.labels(part)
about = {"classes": index.classes, **provenance(size=size, resize=resize)}
write_arrays(job.output.pixels, arrays, about)
job.done(f"{len(arrays['val'])} val and {len(arrays['test'])} test images of {size} px")
