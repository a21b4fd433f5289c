rule teacher:
    input:
        index=paths.index("{dataset}"),
        pixels=lambda wildcards: pixels_for(wildcards.dataset, taught_of(wildcards)),
        weights=teacher_weights,
    output:
        weights=paths.teacher("{dataset}", "{protocol}"),
    log:
        paths.log("teachers/{dataset}/{protocol}"),
    benchmark:
        paths.benchmark("teachers/{dataset}/{protocol}")
    conda:
        "../../envs/students.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 720 * attempt,
    params:
        network=teacher_network,
        protocol=taught_of,
        hard=teachers_protocol,
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        code=code("teacher.py"),
    script:
        "../scripts/teacher.py"


# The network by whose answers methods choose: made as a teacher is, once a dataset.
use rule teacher as classifier with:
    output:
        weights=paths.classifier("{dataset}"),
        cost=paths.classifier_cost("{dataset}"),
    log:
        paths.log("classifiers/{dataset}"),
    benchmark:
        paths.benchmark("classifiers/{dataset}")


rule student:
    input:
        samples=paths.batch("samples", "{dataset}", "{batch}"),
        pixels=lambda wildcards: pixels_of(wildcards.dataset, wildcards.protocol),
        teacher=teacher_of,
    output:
        record=paths.batch("students/{student}/{protocol}", "{dataset}", "{batch}"),
    log:
        paths.log("students/{student}/{protocol}/{dataset}/{batch}"),
    benchmark:
        paths.benchmark("students/{student}/{protocol}/{dataset}/{batch}")
    wildcard_constraints:
        batch=batch_names(REAL, COMPOSED, SAMPLED, EXTERNAL),
    # Before what is shorter, metrics and figures: these fill the cores at a run's end.
    priority: 20
    conda:
        "../../envs/students.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 4000 * attempt,
        runtime=lambda wildcards, attempt: 480 * attempt,
    params:
        cells=student_cells,
        lost=lost_of(student_cells, "students/{student}/{protocol}"),
        network=lambda wildcards: study.config["students"][wildcards.student],
        protocol=lambda wildcards: study.protocol(wildcards.protocol),
        seeds=seeds_of,
        at_once=study.config["compute"]["students_at_once"],
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        code=code("student.py"),
    script:
        "../scripts/student.py"


# All real images as the autoencoder gives them back, for the second of the ceilings.
rule reconstructed:
    input:
        latents=paths.latents("{dataset}"),
        autoencoder=paths.autoencoder("{dataset}"),
    output:
        images=paths.reconstructed("{dataset}"),
    log:
        paths.log("reconstructed/{dataset}"),
    benchmark:
        paths.benchmark("reconstructed/{dataset}")
    conda:
        "../../envs/diffusion.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 8000 * attempt,
        runtime=lambda wildcards, attempt: 240 * attempt,
    params:
        code=code("reconstructed.py"),
    script:
        "../scripts/reconstructed.py"


# As many students as a method has sets: there is one set of all images, of the real ones or of
# what the autoencoder makes of them.
rule ceiling:
    input:
        index=paths.index("{dataset}"),
        reconstructed=reconstructed_for,
        pixels=lambda wildcards: pixels_of(wildcards.dataset, wildcards.protocol),
        teacher=teacher_of,
    output:
        record=paths.ceiling("{ceiling}", "{student}", "{protocol}", "{dataset}"),
    log:
        paths.log("students/{student}/{protocol}/{dataset}/{ceiling}"),
    benchmark:
        paths.benchmark("students/{student}/{protocol}/{dataset}/{ceiling}")
    wildcard_constraints:
        ceiling=one_of(CEILINGS),
    priority: 20
    conda:
        "../../envs/students.yaml"
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 16000 * attempt,
        runtime=lambda wildcards, attempt: 1440 * attempt,
    params:
        network=lambda wildcards: study.config["students"][wildcards.student],
        protocol=lambda wildcards: study.protocol(wildcards.protocol),
        student_seeds=study.set_seeds,
        key=lambda wildcards: CEILINGS[wildcards.ceiling].key,
        stamp=lambda wildcards: stamps.ceiling(
            study,
            CEILINGS[wildcards.ceiling],
            wildcards.dataset,
            wildcards.student,
            wildcards.protocol,
        ),
        checkpoint_seconds=study.config["compute"]["checkpoint_seconds"],
        code=code("ceiling.py"),
    script:
        "../scripts/ceiling.py"
