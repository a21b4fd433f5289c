# Weights by a rule: of each method whose weights are tuned, the candidate that is best on the
# validation part. The students that judge candidates are the rule `student`'s, the sets `sample`'s.
rule tuning:
    input:
        students=lambda wildcards: tried_by(study, wildcards.dataset),
    output:
        record=paths.batch("tuning", "{dataset}", "all"),
    log:
        paths.log("metrics/tuning/{dataset}"),
    benchmark:
        paths.benchmark("metrics/tuning/{dataset}")
    conda:
        "../../envs/data.yaml"
    params:
        cells=tuning_cells,
        lost=lost_of(tuning_cells, "tuning", "all"),
        code=code("tuning.py"),
    script:
        "../scripts/tuning.py"
