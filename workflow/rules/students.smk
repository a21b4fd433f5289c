rule student:
    input:
        images=lambda wildcards: images_of(cell_of(wildcards)),
        index="results/datasets/{dataset}/index.tsv",
    output:
        record=f"results/students/{{student}}/{{protocol}}/{CELL}.json",
    log:
        f"results/logs/students/{{student}}/{{protocol}}/{CELL}.log",
    benchmark:
        f"results/benchmarks/students/{{student}}/{{protocol}}/{CELL}.tsv"
    conda:
        "../../envs/students.yaml"
    resources:
        gpu=1,
        mem_mb=1000,
    params:
        network=lambda wildcards: study.config["students"][wildcards.student],
        protocol=lambda wildcards: study.protocol(wildcards.protocol),
        image_size=dataset_option("image_size"),
        seeds=study.run["seeds"],
        code=code("student.py"),
    script:
        "../scripts/student.py"
