rule base_prior:
    input:
        latents="results/latents/{dataset}.safetensors",
    output:
        model=directory("results/priors/{dataset}/base"),
    log:
        "results/logs/priors/{dataset}/base.log",
    benchmark:
        "results/benchmarks/priors/{dataset}/base.tsv"
    priority: 100
    conda:
        "../../envs/diffusion.yaml"
    threads: study.config["compute"]["training_threads"]
    resources:
        gpu=1,
        mem_mb=2000,
    params:
        objective="plain",
        objective_options={},
        denoiser=dataset_option("denoiser"),
        training=dataset_option("base"),
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        torch_threads=study.config["compute"]["training_threads"],
        code=code("prior.py"),
    script:
        "../scripts/prior.py"


rule tuned_prior:
    input:
        latents="results/latents/{dataset}.safetensors",
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
    resources:
        gpu=1,
        mem_mb=2000,
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
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        torch_threads=1,
        code=code("prior.py"),
    script:
        "../scripts/prior.py"
