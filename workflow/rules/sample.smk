# A job of this stage makes the sets of a batch, and its record says of each cell whether it is
# there; the sets themselves lie beside (lighthouse/config/paths.py, runtime/cells.py).
rule coreset:
    input:
        index=paths.index("{dataset}"),
        latents=paths.latents("{dataset}"),
        features=features_of,
    output:
        record=paths.batch("samples", "{dataset}", "{batch}"),
    log:
        paths.log("samples/{dataset}/{batch}"),
    benchmark:
        paths.benchmark("samples/{dataset}/{batch}")
    wildcard_constraints:
        batch=batch_names(REAL),
    conda:
        "../../envs/students.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * 3 ** (attempt - 1),
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        cells=coreset_cells,
        lost=lost_of(coreset_cells, "samples"),
        root=lambda wildcards: study.images_root(wildcards.dataset),
        image_size=dataset_option("image_size"),
        seeds=study.set_seeds,
    script:
        "../scripts/coreset.py"


# Apart from the coresets, which wait for no network.
rule composed:
    input:
        index=paths.index("{dataset}"),
        autoencoder=paths.autoencoder("{dataset}"),
        classifier=classifier_of,
    output:
        record=paths.batch("samples", "{dataset}", "{batch}"),
    log:
        paths.log("samples/{dataset}/{batch}"),
    benchmark:
        paths.benchmark("samples/{dataset}/{batch}")
    wildcard_constraints:
        batch=batch_names(COMPOSED),
    conda:
        "../../envs/diffusion.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        cells=coreset_cells,
        lost=lost_of(coreset_cells, "samples"),
        root=lambda wildcards: study.images_root(wildcards.dataset),
        image_size=dataset_option("image_size"),
        seeds=study.set_seeds,
    script:
        "../scripts/composed.py"


# One thread each, so that the number of cores cannot change a sample; the images
# are decoded in the same process, since starting another costs more than decoding.
rule sample:
    input:
        latents=paths.latents("{dataset}"),
        autoencoder=paths.autoencoder("{dataset}"),
        priors=priors_of,
        surrogates=surrogates_of,
        # What images are chosen by, of methods that keep some of those that they sample.
        extractor=selecting_extractor,
        classifier=classifier_of,
        features=selecting_features,
        weights=chosen_for,
        # No sample depends on it, yet it is not `ancient` (`gate_of_tuned`): a job that it makes run finds
        # that its cells are there.
        gate=gate_of_batch,
    output:
        record=paths.batch("samples", "{dataset}", "{batch}"),
    log:
        paths.log("samples/{dataset}/{batch}"),
    benchmark:
        paths.benchmark("samples/{dataset}/{batch}")
    wildcard_constraints:
        dataset=one_of(WHOLE),
        batch=batch_names(SAMPLED),
    # Before priors are tuned: what is sampled from base priors takes longest, and would else come last.
    priority: 95
    conda:
        "../../envs/diffusion.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        cells=sampled_cells,
        lost=lost_of(sampled_cells, "samples"),
        replicates=replicates_of,
        classes=classes_of,
        phases=phases_of,
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
    script:
        "../scripts/sample.py"


# The same for some of a dataset's classes: the jobs of a large one run side by side.
use rule sample as shard with:
    output:
        record=temp(paths.batch("shards/{shard}", "{dataset}", "{batch}")),
    log:
        paths.log("shards/{shard}/{dataset}/{batch}"),
    benchmark:
        paths.benchmark("shards/{shard}/{dataset}/{batch}")
    wildcard_constraints:
        dataset=one_of(SHARDED),


# Memory: all samples of a cell, of one with a selection its pools, and once more while they are
# written. It removes the shards.
rule gather:
    input:
        latents=paths.latents("{dataset}"),
        features=selecting_features,
        shards=lambda wildcards: [
            paths.batch(f"shards/{shard}", wildcards.dataset, wildcards.batch)
            for shard in range(len(study.shards(wildcards.dataset)))
        ],
    output:
        record=paths.batch("samples", "{dataset}", "{batch}"),
    log:
        paths.log("samples/{dataset}/{batch}"),
    benchmark:
        paths.benchmark("samples/{dataset}/{batch}")
    wildcard_constraints:
        dataset=one_of(SHARDED),
        batch=batch_names(SAMPLED, TRIED, SCALED),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * 3 ** (attempt - 1),
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        cells=gathered_cells,
        lost=lost_of(gathered_cells, "samples"),
        code=code("gather.py"),
    script:
        "../scripts/gather.py"


rule external:
    input:
        index=paths.index("{dataset}"),
        autoencoder=paths.autoencoder("{dataset}"),
    output:
        record=paths.batch("samples", "{dataset}", "{batch}"),
    log:
        paths.log("samples/{dataset}/{batch}"),
    benchmark:
        paths.benchmark("samples/{dataset}/{batch}")
    wildcard_constraints:
        batch=batch_names(EXTERNAL),
    conda:
        "../../envs/diffusion.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        cells=cells_of(jobs.external_cells),
        lost=lost_of(cells_of(jobs.external_cells), "samples"),
        seeds=study.set_seeds,
        image_size=dataset_option("image_size"),
        code=code("external.py"),
    script:
        "../scripts/external.py"


# The sets as they are handed on, with what students reached on them.
rule distilled:
    input:
        samples=lambda wildcards: sampled_by(study, jobs.handed_on(study, wildcards.dataset)),
        accuracy=paths.table("accuracy"),
    output:
        record=paths.batch("distilled", "{dataset}", "all"),
    log:
        paths.log("distilled/{dataset}"),
    benchmark:
        paths.benchmark("distilled/{dataset}")
    conda:
        "../../envs/data.yaml"
    params:
        cells=distilled_cells,
        lost=lost_of(distilled_cells, "distilled", "all"),
        image_size=dataset_option("image_size"),
        licence=lambda wildcards: source_of(wildcards).licence,
        url=lambda wildcards: source_of(wildcards).url,
        code=code("distilled.py"),
    script:
        "../scripts/distilled.py"


rule distilled_sets:
    input:
        expand(rules.distilled.output.record, dataset=study.run["datasets"]),
