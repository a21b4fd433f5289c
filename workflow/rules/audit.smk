# Last of all: what must hold between the finished tables and figures. It fails the study where
# something does not, and counts images anew, which are there since students were trained on them.
rule audit:
    input:
        finished=[
            rules.tables.input,
            rules.figures.input,
        ],
        published=study.table_path("published"),
        samples=sampled_by(study, study.table_cells),
    output:
        report="results/audit.json",
    log:
        paths.log("audit"),
    benchmark:
        paths.benchmark("audit")
    conda:
        "../../envs/report.yaml"
    params:
        cells=[cell.row for cell in study.table_cells],
        images=[jobs.images_of(study, cell) for cell in study.table_cells],
        expected=expectations(study),
        code=code("audit.py"),
    script:
        "../scripts/audit.py"
