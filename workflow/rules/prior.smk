rule base_prior:
    input:
        latents="results/latents/{dataset}",
        pretrained=pretrained_of("denoiser"),
    output:
        model=directory("results/priors/{dataset}/base"),
        cost="results/costs/priors/{dataset}/base.json",
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
        mem_mb=prior_memory(GPUS),
        runtime=lambda wildcards, attempt: 720 * attempt,  # a new attempt goes on from the checkpoint
    params:
        objective="plain",
        make=OBJECTIVES["plain"].make,
        objective_options={},
        denoiser=dataset_option("denoiser"),
        training=dataset_option("base"),
        gpus=GPUS,
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        torch_threads=study.config["compute"]["training_threads"],
        code=code("prior.py", [OBJECTIVES["plain"].make]),
    script:
        "../scripts/prior.py"


rule rsm_prior:
    input:
        latents="results/latents/{dataset}",
        base="results/priors/{dataset}/base",
    output:
        model=directory(f"results/priors/{RSM}"),
        cost=f"results/costs/priors/{RSM}.json",
    log:
        f"results/logs/priors/{RSM}.log",
    benchmark:
        f"results/benchmarks/priors/{RSM}.tsv"
    priority: 90
    conda:
        "../../envs/diffusion.yaml"
    threads: GPUS
    resources:
        gpu=GPUS,
        mem_mb=prior_memory(GPUS),
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        objective="rsm",
        make=OBJECTIVES["rsm"].make,
        objective_options=lambda wildcards: {
            "lam": float(wildcards.lam),
            "l1_weighting": study.dataset(wildcards.dataset)["tuning"]["l1_weighting"],
        },
        training=tuning_of,
        gpus=GPUS,
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        torch_threads=1,
        code=code("prior.py", [OBJECTIVES["rsm"].make]),
    script:
        "../scripts/prior.py"


# The same with another objective. One accelerator: MiniMax's memories are of one process.
use rule rsm_prior as tuned_prior with:
    output:
        model=directory(f"results/priors/{TUNED}"),
        cost=f"results/costs/priors/{TUNED}.json",
    log:
        f"results/logs/priors/{TUNED}.log",
    benchmark:
        f"results/benchmarks/priors/{TUNED}.tsv"
    threads: 1
    resources:
        gpu=1,
        mem_mb=prior_memory(1),
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        objective=lambda wildcards: objective_of(wildcards).name,
        make=lambda wildcards: objective_of(wildcards).make,
        objective_options=objective_options,
        training=tuning_of,
        gpus=1,
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        torch_threads=1,
        code=lambda wildcards: code("prior.py", [objective_of(wildcards).make]),


# The network by whose gradients influence guidance goes.
rule surrogate:
    input:
        index="results/datasets/{dataset}/index.tsv",
    output:
        surrogate=directory("results/surrogates/{dataset}"),
        cost="results/costs/surrogates/{dataset}.json",
    log:
        "results/logs/surrogates/{dataset}.log",
    benchmark:
        "results/benchmarks/surrogates/{dataset}.tsv"
    conda:
        "../../envs/students.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        surrogate=dataset_option("surrogate"),
        network=lambda wildcards: study.config["students"][
            study.dataset(wildcards.dataset)["surrogate"]["network"]
        ],
        image_size=dataset_option("image_size"),
        code=code("surrogate.py"),
    script:
        "../scripts/surrogate.py"
