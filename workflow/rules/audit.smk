# Last of all: what must hold between the finished tables and figures. It fails the study where
# something does not, and counts images anew, which are there since students were trained on them.
rule audit:
    input:
        finished=[
            rules.tables.input,
            rules.figures.input,
            (
                expand(rules.lighthouses.output.table, dataset=study.run["datasets"])
                if study.run["lighthouse"]
                else []
            ),
        ],
        published=study.table_path("published"),
        images=[images_of(cell) for cell in study.table_cells],
    output:
        report="results/audit.json",
    log:
        "results/logs/audit.log",
    benchmark:
        "results/benchmarks/audit.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        cells=as_rows(study.table_cells),
        expected=expectations(study),
        code=code("audit.py"),
    script:
        "../scripts/audit.py"
