rule dataset:
    output:
        index="results/datasets/{dataset}/index.tsv",
        images=directory("results/datasets/{dataset}/images"),
    log:
        "results/logs/datasets/{dataset}.log",
    benchmark:
        "results/benchmarks/datasets/{dataset}.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        source=dataset_option("source"),
        image_size=dataset_option("image_size"),
        parts=dataset_option("parts"),
        split_seed=dataset_option("split_seed"),
        code=code("dataset.py"),
    script:
        "../scripts/dataset.py"


rule autoencoder:
    input:
        index="results/datasets/{dataset}/index.tsv",
    output:
        model=directory("results/autoencoders/{dataset}"),
    log:
        "results/logs/autoencoders/{dataset}.log",
    benchmark:
        "results/benchmarks/autoencoders/{dataset}.tsv"
    priority: 100
    conda:
        "../../envs/diffusion.yaml"
    threads: study.config["compute"]["training_threads"]
    resources:
        gpu=1,
        mem_mb=2000,
    params:
        image_size=dataset_option("image_size"),
        options=dataset_option("autoencoder"),
        torch_threads=study.config["compute"]["training_threads"],
        code=code("autoencoder.py"),
    script:
        "../scripts/autoencoder.py"


rule latents:
    input:
        index="results/datasets/{dataset}/index.tsv",
        autoencoder="results/autoencoders/{dataset}",
    output:
        latents="results/latents/{dataset}.safetensors",
    log:
        "results/logs/latents/{dataset}.log",
    benchmark:
        "results/benchmarks/latents/{dataset}.tsv"
    priority: 100
    conda:
        "../../envs/diffusion.yaml"
    threads: study.config["compute"]["training_threads"]
    resources:
        gpu=1,
        mem_mb=2000,
    params:
        image_size=dataset_option("image_size"),
        torch_threads=study.config["compute"]["training_threads"],
        code=code("latents.py"),
    script:
        "../scripts/latents.py"
