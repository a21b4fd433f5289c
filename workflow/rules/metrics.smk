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
        code=code("extractor.py"),
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
        code=code("features.py"),
    script:
        "../scripts/features.py"


rule diversity:
    input:
        features="results/features/{dataset}.safetensors",
        extractor="results/extractors/{dataset}.safetensors",
        images=lambda wildcards: collect_cells(images_of, wildcards),
        latents=lambda wildcards: collect_cells(latents_of, wildcards),
    output:
        table="results/metrics/diversity/{dataset}/{method}.csv",
    log:
        "results/logs/metrics/diversity/{dataset}/{method}.log",
    benchmark:
        "results/benchmarks/metrics/diversity/{dataset}/{method}.tsv"
    conda:
        "../../envs/metrics.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        cells=lambda wildcards: as_rows(study.cells_of(wildcards.dataset, wildcards.method)),
        seeds=study.run["seeds"],
        epsilon=study.config["guidance"]["epsilon"],
        neighbours=study.config["metrics"]["coverage_neighbours"],
        ssim_pairs=study.config["metrics"]["ssim_pairs"],
        code=code("diversity.py"),
    script:
        "../scripts/diversity.py"


rule frechet:
    input:
        features="results/features/{dataset}.safetensors",
        extractor="results/extractors/{dataset}.safetensors",
        images=lambda wildcards: [
            images_of(cell) for cell in study.main_cells if cell.dataset == wildcards.dataset
        ],
    output:
        table="results/metrics/frechet/{dataset}.csv",
    log:
        "results/logs/metrics/frechet/{dataset}.log",
    benchmark:
        "results/benchmarks/metrics/frechet/{dataset}.tsv"
    conda:
        "../../envs/metrics.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        cells=lambda wildcards: as_rows(
            cell for cell in study.main_cells if cell.dataset == wildcards.dataset
        ),
        seeds=study.run["seeds"],
        code=code("frechet.py"),
    script:
        "../scripts/frechet.py"


rule spectrum:
    input:
        extractor="results/extractors/{dataset}.safetensors",
        images=lambda wildcards: [
            images_of(cell) for cell in study.spectrum_cells(wildcards.dataset).values()
        ],
    output:
        values="results/metrics/spectrum/{dataset}.csv",
        ranks="results/metrics/spectrum_ranks/{dataset}.csv",
    log:
        "results/logs/metrics/spectrum/{dataset}.log",
    benchmark:
        "results/benchmarks/metrics/spectrum/{dataset}.tsv"
    conda:
        "../../envs/metrics.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        cells=lambda wildcards: as_rows(study.spectrum_cells(wildcards.dataset).values()),
        sources=list(study.spectrum_cells(study.run["datasets"][0])),
        seeds=study.run["seeds"],
        code=code("spectrum.py"),
    script:
        "../scripts/spectrum.py"
