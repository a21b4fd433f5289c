rule extractor:
    input:
        index=paths.index("{dataset}"),
        weights=extractor_weights_of,
    output:
        weights=paths.extractor("{dataset}"),
    log:
        paths.log("extractors/{dataset}"),
    benchmark:
        paths.benchmark("extractors/{dataset}")
    priority: 108
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
        index=paths.index("{dataset}"),
        extractor=paths.extractor("{dataset}"),
    output:
        features=paths.features("{dataset}"),
    log:
        paths.log("features/{dataset}"),
    benchmark:
        paths.benchmark("features/{dataset}")
    priority: 108
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
        samples=paths.batch("samples", "{dataset}", "{batch}"),
        latents=paths.latents("{dataset}"),
        features=paths.features("{dataset}"),
        extractor=paths.extractor("{dataset}"),
    output:
        record=paths.batch("metrics", "{dataset}", "{batch}"),
    log:
        paths.log("metrics/sets/{dataset}/{batch}"),
    benchmark:
        paths.benchmark("metrics/sets/{dataset}/{batch}")
    conda:
        "../../envs/metrics.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        cells=cells_of(jobs.measured_cells),
        lost=lost_of(cells_of(jobs.measured_cells), "metrics"),
        seeds=study.set_seeds,
        epsilon=study.config["guidance"]["dpp"]["epsilon"],
        neighbours=study.config["metrics"]["coverage_neighbours"],
        ssim_pairs=study.config["metrics"]["ssim_pairs"],
        code=extractor_code("set_metrics.py"),
    script:
        "../scripts/set_metrics.py"


# Joint against sequential sampling, beside what subsets of a pool of iid images reach.
rule strategies:
    input:
        samples=lambda wildcards: sampled_by(study, rows.strategies_cells(study, wildcards.dataset)),
        index=paths.index("{dataset}"),
        features=paths.features("{dataset}"),
        extractor=paths.extractor("{dataset}"),
    output:
        record=paths.batch("strategies", "{dataset}", "all"),
    log:
        paths.log("metrics/strategies/{dataset}"),
    benchmark:
        paths.benchmark("metrics/strategies/{dataset}")
    conda:
        "../../envs/metrics.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        cells=strategies_sets,
        lost=lost_of(strategies_sets, "strategies", "all"),
        image_size=dataset_option("image_size"),
        epsilon=study.config["guidance"]["dpp"]["epsilon"],
        neighbours=study.config["metrics"]["coverage_neighbours"],
        code=extractor_code("strategies.py"),
    script:
        "../scripts/strategies.py"
