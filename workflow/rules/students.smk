rule teacher:
    input:
        index="results/datasets/{dataset}/index.tsv",
        pixels=lambda wildcards: pixels_of(wildcards.dataset, wildcards.protocol),
        weights=teacher_weights,
    output:
        weights="results/teachers/{dataset}/{protocol}.safetensors",
    log:
        "results/logs/teachers/{dataset}/{protocol}.log",
    benchmark:
        "results/benchmarks/teachers/{dataset}/{protocol}.tsv"
    conda:
        "../../envs/students.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        network=lambda wildcards: study.config["students"][
            study.protocol(wildcards.protocol)["teacher"]["network"]
        ],
        protocol=lambda wildcards: study.protocol(wildcards.protocol),
        hard=lambda wildcards: study.config["protocols"].get(
            study.protocol(wildcards.protocol)["teacher"].get("protocol")
        ),
        code=code("teacher.py"),
    script:
        "../scripts/teacher.py"


rule student:
    input:
        images=lambda wildcards: images_of(cell_of(wildcards)),
        pixels=lambda wildcards: pixels_of(wildcards.dataset, wildcards.protocol),
        teacher=teacher_of,
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
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        network=lambda wildcards: study.config["students"][wildcards.student],
        protocol=lambda wildcards: study.protocol(wildcards.protocol),
        seeds=study.run["seeds"],
        student_seeds=students_of,
        code=code("student.py"),
    script:
        "../scripts/student.py"


# As many students as a method has sets: there is one set of all real images.
rule ceiling:
    input:
        index="results/datasets/{dataset}/index.tsv",
        pixels=lambda wildcards: pixels_of(wildcards.dataset, wildcards.protocol),
        teacher=teacher_of,
    output:
        record="results/students/{student}/{protocol}/{dataset}/full.json",
    log:
        "results/logs/students/{student}/{protocol}/{dataset}/full.log",
    benchmark:
        "results/benchmarks/students/{student}/{protocol}/{dataset}/full.tsv"
    conda:
        "../../envs/students.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        network=lambda wildcards: study.config["students"][wildcards.student],
        protocol=lambda wildcards: study.protocol(wildcards.protocol),
        student_seeds=study.run["seeds"],
        code=code("ceiling.py"),
    script:
        "../scripts/ceiling.py"
