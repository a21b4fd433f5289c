rule extractor:
    input:
        index="results/datasets/{dataset}/index.tsv",
        weights=extractor_weights_of,
    output:
        weights="results/extractors/{dataset}.safetensors",
    log:
        "results/logs/extractors/{dataset}.log",
    benchmark:
        "results/benchmarks/extractors/{dataset}.tsv"
    conda:
        "../../envs/metrics.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        image_size=dataset_option("image_size"),
        extractor=dataset_option("extractor"),
        images_per_class=study.config["metrics"]["real_images_per_class"],
        code=extractor_code("extractor.py"),
    script:
        "../scripts/extractor.py"


rule features:
    input:
        index="results/datasets/{dataset}/index.tsv",
        extractor="results/extractors/{dataset}.safetensors",
    output:
        features="results/features/{dataset}.safetensors",
    log:
        "results/logs/features/{dataset}.log",
    benchmark:
        "results/benchmarks/features/{dataset}.tsv"
    conda:
        "../../envs/metrics.yaml"
    threads: study.config["compute"]["training_threads"]
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        image_size=dataset_option("image_size"),
        images_per_class=study.config["metrics"]["real_images_per_class"],
        torch_threads=study.config["compute"]["training_threads"],
        code=extractor_code("features.py"),
    script:
        "../scripts/features.py"


rule set_metrics:
    input:
        features="results/features/{dataset}.safetensors",
        extractor="results/extractors/{dataset}.safetensors",
        images=lambda wildcards: collect_cells(images_of, wildcards),
        latents=lambda wildcards: collect_cells(latents_of, wildcards),
    output:
        diversity="results/metrics/diversity/{dataset}/{method}.csv",
        frechet="results/metrics/frechet/{dataset}/{method}.csv",
    log:
        "results/logs/metrics/sets/{dataset}/{method}.log",
    benchmark:
        "results/benchmarks/metrics/sets/{dataset}/{method}.tsv"
    conda:
        "../../envs/metrics.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        cells=lambda wildcards: as_rows(study.cells_of(wildcards.dataset, wildcards.method)),
        table_cells=as_rows(study.table_cells),
        seeds=study.run["seeds"],
        epsilon=study.config["guidance"]["dpp"]["epsilon"],
        neighbours=study.config["metrics"]["coverage_neighbours"],
        ssim_pairs=study.config["metrics"]["ssim_pairs"],
        code=extractor_code("set_metrics.py"),
    script:
        "../scripts/set_metrics.py"


rule spectrum:
    input:
        extractor="results/extractors/{dataset}.safetensors",
        images=lambda wildcards: images_of(
            study.cell(wildcards.dataset, wildcards.method, study.run["spectrum"]["ipc"])
        ),
    output:
        values="results/metrics/spectrum/{dataset}/{method}.csv",
        ranks="results/metrics/spectrum_ranks/{dataset}/{method}.csv",
    log:
        "results/logs/metrics/spectrum/{dataset}/{method}.log",
    benchmark:
        "results/benchmarks/metrics/spectrum/{dataset}/{method}.tsv"
    conda:
        "../../envs/metrics.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        source=lambda wildcards: study.spectrum_sources[wildcards.method],
        ipc=study.run["spectrum"]["ipc"],
        seeds=study.run["seeds"],
        code=extractor_code("spectrum.py"),
    script:
        "../scripts/spectrum.py"


# Joint against sequential sampling, beside what subsets of a pool of iid images reach.
rule lighthouses:
    input:
        features="results/features/{dataset}.safetensors",
        extractor="results/extractors/{dataset}.safetensors",
        images=lambda wildcards: [images_of(cell) for cell in lighthouse_cells(wildcards)],
        latents=lambda wildcards: [latents_of(cell) for cell in lighthouse_cells(wildcards)],
    output:
        table="results/metrics/lighthouse/{dataset}.csv",
        test="results/metrics/lighthouse_test/{dataset}.csv",
        map="results/metrics/lighthouse_map/{dataset}.csv",
    log:
        "results/logs/metrics/lighthouse/{dataset}.log",
    benchmark:
        "results/benchmarks/metrics/lighthouse/{dataset}.tsv"
    conda:
        "../../envs/metrics.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        seeds=study.run["seeds"],
        ipc=lookup(dpath="run/lighthouse/ipc", within=study.config, default=None),
        pool_ipc=lambda wildcards: lighthouse_cells(wildcards)[-1].ipc,
        subsets=lookup(dpath="run/lighthouse/subsets", within=study.config, default=None),
        shown_class=lookup(dpath="run/lighthouse/shown_class", within=study.config, default=None),
        epsilon=study.config["guidance"]["dpp"]["epsilon"],
        neighbours=study.config["metrics"]["coverage_neighbours"],
        code=extractor_code("lighthouses.py"),
    script:
        "../scripts/lighthouses.py"
