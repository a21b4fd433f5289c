"""Rule `distilled`: a distilled set as PNG class folders that ImageFolder loads."""

from pathlib import Path

from lighthouse.runtime.job import start

job = start(globals().get("snakemake"))

from lighthouse.datasets.export import write_class_folders  # noqa: E402
from lighthouse.runtime.files import read_about, read_arrays  # noqa: E402

ipc = int(job.wildcards.ipc)
sets = {key: images[:, :ipc] for key, images in read_arrays(job.input.images).items()}
about = {**read_about(job.input.images), "dataset": job.wildcards.dataset, "ipc": ipc}
write_class_folders(Path(job.output.folder), sets, about)
job.done(f"{len(sets)} sets of {len(about['classes'])} class folders with {ipc} images each")
