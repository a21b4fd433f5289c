# All that is trained from here on is trained in each replicate. The first one's base prior goes before
# the others': it is judged (verdict.smk), and weights are tuned with it.
rule base_prior:
    input:
        latents=paths.latents("{dataset}"),
        pretrained=pretrained_of("denoiser"),
    output:
        model=directory(paths.prior("{dataset}", "base", "{replicate}")),
        cost=paths.prior_cost("{dataset}", "base", "{replicate}"),
    log:
        paths.log("priors/{dataset}/replicate~{replicate}/base"),
    benchmark:
        paths.benchmark("priors/{dataset}/replicate~{replicate}/base")
    wildcard_constraints:
        replicate=FIRST,
    priority: 112
    conda:
        "../../envs/diffusion.yaml"
    threads: study.config["compute"]["training_threads"] * GPUS
    resources:
        gpu=lambda wildcards: 0 if study.has_one_base(wildcards.dataset) else GPUS,
        mem_mb=prior_memory(GPUS),
        runtime=lambda wildcards, attempt: 720 * attempt,  # a new attempt goes on from the checkpoint
    params:
        objective="plain",
        make=OBJECTIVES["plain"].make,
        objective_options={},
        denoiser=dataset_option("denoiser"),
        training=dataset_option("base"),
        classes=None,
        seed=replicate_of,
        gpus=GPUS,
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        launch=study.config["compute"]["launch"],
        torch_threads=study.config["compute"]["training_threads"],
        code=code("prior.py", [OBJECTIVES["plain"].make]),
    script:
        "../scripts/prior.py"


use rule base_prior as further_prior with:
    wildcard_constraints:
        replicate=one_of(str(seed) for seed in study.replicates if str(seed) != FIRST),
    priority: 100


# A pretrained model that is taken as it is: one for all replicates, and no device is asked for.
use rule base_prior as taken_prior with:
    output:
        model=directory(paths.prior("{dataset}", "base")),
        cost=paths.prior_cost("{dataset}", "base"),
    log:
        paths.log("priors/{dataset}/base"),
    benchmark:
        paths.benchmark("priors/{dataset}/base")
    wildcard_constraints:
        dataset=one_of(name for name in study.run["datasets"] if study.has_one_base(name)),


# Fine-tuned from the base with another objective.
rule tuned_prior:
    input:
        latents=paths.latents("{dataset}"),
        base=base_of,
        gate=gate_of_tuned,
    output:
        model=directory(paths.prior("{dataset}", "{prior}", "{replicate}")),
        cost=paths.prior_cost("{dataset}", "{prior}", "{replicate}"),
    log:
        paths.log("priors/{dataset}/replicate~{replicate}/{prior}"),
    benchmark:
        paths.benchmark("priors/{dataset}/replicate~{replicate}/{prior}")
    priority: 90
    conda:
        "../../envs/diffusion.yaml"
    threads: gpus_of
    resources:
        gpu=gpus_of,
        mem_mb=lambda wildcards, attempt: prior_memory(gpus_of(wildcards))(wildcards, attempt),
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        objective=lambda wildcards: objective_of(wildcards).name,
        make=lambda wildcards: objective_of(wildcards).make,
        objective_options=objective_options,
        training=tuning_of,
        classes=phase_of,
        asked=asked_of_tuned,
        seed=replicate_of,
        gpus=gpus_of,
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        launch=study.config["compute"]["launch"],
        torch_threads=1,
        code=tuned_code,
    script:
        "../scripts/prior.py"


# The network by whose gradients influence guidance goes.
rule surrogate:
    input:
        index=paths.index("{dataset}"),
    output:
        surrogate=directory(paths.surrogate("{dataset}", "{replicate}")),
        cost=paths.surrogate_cost("{dataset}", "{replicate}"),
    log:
        paths.log("surrogates/{dataset}/replicate~{replicate}"),
    benchmark:
        paths.benchmark("surrogates/{dataset}/replicate~{replicate}")
    # For the sets of the base priors wait for it.
    priority: 105
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
        seed=replicate_of,
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        code=code("surrogate.py"),
    script:
        "../scripts/surrogate.py"
