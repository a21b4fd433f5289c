# Whether the base prior is worth distilling with, asked of the first replicate's before any method
# samples from it, and told at once. All that waits for it goes before other trainings.
rule prior_images:
    input:
        index=paths.index("{dataset}"),
        autoencoder=paths.autoencoder("{dataset}"),
    output:
        real=paths.prior_images("{dataset}", "real"),
        reconstructed=paths.prior_images("{dataset}", "reconstructed"),
    log:
        paths.log("metrics/prior/{dataset}/images"),
    benchmark:
        paths.benchmark("metrics/prior/{dataset}/images")
    priority: 130
    conda:
        "../../envs/diffusion.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        ipc=lambda wildcards: study.run["prior_check"]["ipc"],
        seeds=lambda wildcards: prior_check.seeds(study),
        image_size=dataset_option("image_size"),
        code=code("prior_images.py"),
    script:
        "../scripts/prior_images.py"


rule prior_verdict:
    input:
        real=rules.prior_images.output.real,
        reconstructed=rules.prior_images.output.reconstructed,
        latents=paths.latents("{dataset}"),
        autoencoder=paths.autoencoder("{dataset}"),
        encoder_cost=paths.autoencoder_cost("{dataset}"),
        prior=base_of,
        prior_cost=first_base_cost,
        scale=first_scale,
        extractor=paths.extractor("{dataset}"),
        features=paths.features("{dataset}"),
        pixels=lambda wildcards: pixels_of(wildcards.dataset, CHECKED_BY[1]),
        teacher=lambda wildcards: teachers_of(wildcards.dataset, CHECKED_BY[1]),
    output:
        record=paths.prior_verdict("{dataset}"),
        images=paths.prior_images("{dataset}", "sampled"),
    log:
        paths.log("metrics/prior/{dataset}"),
    benchmark:
        paths.benchmark("metrics/prior/{dataset}")
    priority: 130
    conda:
        "../../envs/diffusion.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        thresholds=lambda wildcards: {k: study.run["prior_check"][k] for k in ("weak", "useless")},
        seeds=lambda wildcards: prior_check.seeds(study),
        sampler=lambda wildcards: prior_check.sampler(study, wildcards.dataset),
        scale=lambda wildcards: prior_check.scale_record(study, wildcards.dataset),
        options=lambda wildcards: prior_check.changeable(study, wildcards.dataset),
        names=dict(zip(("student", "protocol"), CHECKED_BY)),
        network=study.config["students"][CHECKED_BY[0]],
        protocol=study.protocol(CHECKED_BY[1]),
        neighbours=study.config["metrics"]["coverage_neighbours"],
        launch=study.config["compute"]["launch"],
        at_once=study.config["compute"]["students_at_once"],
        code=extractor_code("prior_verdict.py"),
    script:
        "../scripts/prior_verdict.py"


rule prior_gate:
    input:
        record=rules.prior_verdict.output.record,
    output:
        gate=paths.prior_gate("{dataset}"),
    log:
        paths.log("metrics/prior/{dataset}/gate"),
    benchmark:
        paths.benchmark("metrics/prior/{dataset}/gate")
    priority: 130
    conda:
        "../../envs/data.yaml"
    params:
        on_useless=lambda wildcards: study.run["prior_check"]["on_useless"],
        code=code("prior_gate.py"),
    script:
        "../scripts/prior_gate.py"
