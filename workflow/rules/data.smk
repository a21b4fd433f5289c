# Compute nodes seldom have a network.
localrules:
    download,


# The record stands for the folder beside it, which no rerun removes and a user may
# unpack by hand.
rule download:
    output:
        record=f"{DOWNLOADS}/{{archive}}.json",
    log:
        paths.log("downloads/{archive}"),
    benchmark:
        paths.benchmark("downloads/{archive}")
    wildcard_constraints:
        archive=one_of(ARCHIVES),
    conda:
        "../../envs/download.yaml"
    script:
        "../scripts/download.py"


# Threads decode images, here and below: they change the clock, and no number.
rule dataset:
    input:
        download=download_of,
    output:
        index=paths.index("{dataset}"),
        survey=paths.survey("{dataset}"),
        images=directory("results/datasets/{dataset}/images"),
    log:
        paths.log("datasets/{dataset}"),
    benchmark:
        paths.benchmark("datasets/{dataset}")
    conda:
        "../../envs/data.yaml"
    threads: 8
    resources:
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 120 * attempt,
    params:
        source=dataset_option("source"),
        options=source_options,
        state=source_state,
        code=code("dataset.py"),
    script:
        "../scripts/dataset.py"


# Memory: twice the pixels. ImageNet-1K's validation part at 256 px is 10 GB.
rule pixels:
    input:
        index=paths.index("{dataset}"),
    output:
        pixels=paths.pixels("{dataset}", "{resize}", "{size}"),
    log:
        paths.log("pixels/{dataset}/resize~{resize}/size~{size}"),
    benchmark:
        paths.benchmark("pixels/{dataset}/resize~{resize}/size~{size}")
    # For the verdict on the prior, and for students.
    priority: 120
    conda:
        "../../envs/data.yaml"
    threads: BESIDE
    resources:
        mem_mb=lambda wildcards, attempt: 3000 * 3 ** (attempt - 1),
        runtime=lambda wildcards, attempt: 60 * attempt,
    params:
        code=code("pixels.py"),
    script:
        "../scripts/pixels.py"


rule autoencoder:
    input:
        index=paths.index("{dataset}"),
        pretrained=pretrained_of("autoencoder"),
        extractor=judge_of,
    output:
        model=directory(paths.autoencoder("{dataset}")),
        cost=paths.autoencoder_cost("{dataset}"),
    log:
        paths.log("autoencoders/{dataset}"),
    benchmark:
        paths.benchmark("autoencoders/{dataset}")
    priority: 115
    conda:
        "../../envs/diffusion.yaml"
    threads: study.config["compute"]["training_threads"]
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        image_size=dataset_option("image_size"),
        options=dataset_option("autoencoder"),
        distance=extractors.DISTANCE,
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        torch_threads=study.config["compute"]["training_threads"],
        code=autoencoder_code,
    script:
        "../scripts/autoencoder.py"


rule latents:
    input:
        index=paths.index("{dataset}"),
        autoencoder=paths.autoencoder("{dataset}"),
    output:
        latents=directory(paths.latents("{dataset}")),
    log:
        paths.log("latents/{dataset}"),
    benchmark:
        paths.benchmark("latents/{dataset}")
    priority: 115
    conda:
        "../../envs/diffusion.yaml"
    threads: study.config["compute"]["training_threads"]
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        image_size=dataset_option("image_size"),
        flips=dataset_option("flips"),
        # A million pixels a call, 16 images of 256 px: about 3 GB in sd-vae's encoder.
        batch=lambda wildcards: max(
            1, min(256, 2**20 // study.dataset(wildcards.dataset)["image_size"] ** 2)
        ),
        torch_threads=study.config["compute"]["training_threads"],
        code=code("latents.py"),
    script:
        "../scripts/latents.py"
