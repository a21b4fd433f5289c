"""Rule `spectrum`: singular values of one source's deep features by seed, and their ranks."""

from pathlib import Path

from lighthouse.runtime.job import device, start

job = start(globals().get("snakemake"))

from lighthouse.metrics.features import load_extractor, set_features  # noqa: E402
from lighthouse.metrics.spectrum import rank_row, singular_values, value_rows  # noqa: E402
from lighthouse.tables import write_rows  # noqa: E402

extractor = load_extractor(Path(job.input.extractor), device())
values, ranks = [], []
for seed in job.params.seeds:
    features = set_features(extractor, job.input.images, seed, job.params.ipc)
    sigma = singular_values(features)
    key = {"dataset": job.wildcards.dataset, "source": job.params.source, "seed": seed}
    values += value_rows(key, sigma)
    ranks.append(rank_row({**key, "n": len(features)}, sigma))
write_rows(job.output.values, values)
write_rows(job.output.ranks, ranks)
job.done(f"spectra of {len(ranks)} sets of {job.params.source}")
