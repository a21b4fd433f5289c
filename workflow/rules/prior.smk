rule base_prior:
    input:
        latents="results/latents/{dataset}",
        pretrained=pretrained_of("denoiser"),
    output:
        model=directory("results/priors/{dataset}/base"),
    log:
        "results/logs/priors/{dataset}/base.log",
    benchmark:
        "results/benchmarks/priors/{dataset}/base.tsv"
    priority: 100
    conda:
        "../../envs/diffusion.yaml"
    threads: study.config["compute"]["training_threads"] * GPUS
    resources:
        # A pretrained model that is taken as it is needs none.
        gpu=lambda wildcards: GPUS if study.dataset(wildcards.dataset)["base"] else 0,
        mem_mb=prior_memory,
        runtime=lambda wildcards, attempt: 720 * attempt,  # a new attempt goes on from the checkpoint
    params:
        objective="plain",
        objective_options={},
        denoiser=dataset_option("denoiser"),
        training=dataset_option("base"),
        gpus=GPUS,
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        torch_threads=study.config["compute"]["training_threads"],
        code=code("prior.py"),
    script:
        "../scripts/prior.py"


rule tuned_prior:
    input:
        latents="results/latents/{dataset}",
        base="results/priors/{dataset}/base",
    output:
        model=directory(f"results/priors/{PRIOR}"),
    log:
        f"results/logs/priors/{PRIOR}.log",
    benchmark:
        f"results/benchmarks/priors/{PRIOR}.tsv"
    priority: 90
    conda:
        "../../envs/diffusion.yaml"
    threads: GPUS
    resources:
        gpu=GPUS,
        mem_mb=prior_memory,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        objective="{objective}",
        objective_options=lambda wildcards: {
            "lam": float(wildcards.lam),
            "l1_weighting": study.dataset(wildcards.dataset)["tuning"]["l1_weighting"],
        },
        training=lambda wildcards: {
            **study.dataset(wildcards.dataset)["tuning"],
            "learning_rate": float(wildcards.lr),
        },
        gpus=GPUS,
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        torch_threads=1,
        code=code("prior.py"),
    script:
        "../scripts/prior.py"
