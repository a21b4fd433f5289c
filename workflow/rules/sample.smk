rule coreset:
    input:
        index="results/datasets/{dataset}/index.tsv",
        latents="results/latents/{dataset}",
        features=features_of,
    output:
        latents=f"results/samples/{CELL}/latents.safetensors",
        images=f"results/samples/{CELL}/images.safetensors",
        cost=f"results/costs/samples/{CELL}.json",
    log:
        f"results/logs/samples/{CELL}.log",
    benchmark:
        f"results/benchmarks/samples/{CELL}.tsv"
    wildcard_constraints:
        method=one_of(CORESETS),
    conda:
        "../../envs/students.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * 3 ** (attempt - 1),
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        coreset=method_option("coreset"),
        choose=lambda wildcards: coreset_of(wildcards).choose,
        image_size=dataset_option("image_size"),
        seeds=study.run["seeds"],
        code=lambda wildcards: code("coreset.py", [coreset_of(wildcards).choose]),
    script:
        "../scripts/coreset.py"


# One thread each, so that the number of cores cannot change a sample; the images
# are decoded in the same process, since starting another costs more than decoding.
rule sample:
    input:
        latents="results/latents/{dataset}",
        autoencoder="results/autoencoders/{dataset}",
        prior=prior_of,
        surrogate=surrogate_of,
    output:
        latents=f"results/samples/{CELL}/latents.safetensors",
        images=f"results/samples/{CELL}/images.safetensors",
        cost=f"results/costs/samples/{CELL}.json",
    log:
        f"results/logs/samples/{CELL}.log",
    benchmark:
        f"results/benchmarks/samples/{CELL}.tsv"
    wildcard_constraints:
        dataset=one_of(WHOLE),
        method=one_of(SAMPLED),
    priority: 50
    conda:
        "../../envs/diffusion.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        coupling=method_option("coupling"),
        terms=terms_of,
        sampler=dataset_option("sampler"),
        seeds=study.run["seeds"],
        classes=classes_of,
        code=sampling_code,
    script:
        "../scripts/sample.py"


# The same for some of a dataset's classes: the jobs of a large one run side by side.
# Their files go when they have been gathered.
use rule sample as shard with:
    output:
        latents=temp(f"results/shards/{CELL}/{{shard}}/latents.safetensors"),
        images=temp(f"results/shards/{CELL}/{{shard}}/images.safetensors"),
        cost=temp(f"results/shards/{CELL}/{{shard}}/cost.json"),
    log:
        f"results/logs/shards/{CELL}/{{shard}}.log",
    benchmark:
        f"results/benchmarks/shards/{CELL}/{{shard}}.tsv"
    wildcard_constraints:
        dataset=one_of(SHARDED),


# Memory: all samples, and once more while they are written.
rule gather:
    input:
        means="results/latents/{dataset}",
        latents=shards_of("latents.safetensors"),
        images=shards_of("images.safetensors"),
        costs=shards_of("cost.json"),
    output:
        latents=f"results/samples/{CELL}/latents.safetensors",
        images=f"results/samples/{CELL}/images.safetensors",
        cost=f"results/costs/samples/{CELL}.json",
    log:
        f"results/logs/samples/{CELL}.log",
    benchmark:
        f"results/benchmarks/samples/{CELL}.tsv"
    wildcard_constraints:
        dataset=one_of(SHARDED),
        method=one_of(SAMPLED),
    conda:
        "../../envs/data.yaml"
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * 3 ** (attempt - 1),
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code("gather.py"),
    script:
        "../scripts/gather.py"


# A finished set that was made elsewhere: its files' names, sizes and times are a parameter.
rule external:
    input:
        index="results/datasets/{dataset}/index.tsv",
        autoencoder="results/autoencoders/{dataset}",
    output:
        latents=f"results/samples/{CELL}/latents.safetensors",
        images=f"results/samples/{CELL}/images.safetensors",
        cost=f"results/costs/samples/{CELL}.json",
    log:
        f"results/logs/samples/{CELL}.log",
    benchmark:
        f"results/benchmarks/samples/{CELL}.tsv"
    wildcard_constraints:
        method=one_of(EXTERNAL),
    conda:
        "../../envs/diffusion.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        root=lambda wildcards: str(study.external_root(wildcards.method)),
        fingerprint=lambda wildcards: fingerprint(study.external_root(wildcards.method)),
        seeds=study.run["seeds"],
        image_size=dataset_option("image_size"),
        code=code("external.py"),
    script:
        "../scripts/external.py"


rule distilled:
    input:
        images=lambda wildcards: images_of(
            study.cell(wildcards.dataset, wildcards.method, int(wildcards.ipc))
        ),
    output:
        folder=directory("results/distilled/{dataset}/{method}/ipc~{ipc}"),
    log:
        "results/logs/distilled/{dataset}/{method}/ipc~{ipc}.log",
    benchmark:
        "results/benchmarks/distilled/{dataset}/{method}/ipc~{ipc}.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        code=code("distilled.py"),
    script:
        "../scripts/distilled.py"


rule distilled_sets:
    input:
        [
            f"results/distilled/{cell.dataset}/{cell.method}/ipc~{cell.ipc}"
            for cell in study.main_cells
            if cell.method not in EXTERNAL
        ],
