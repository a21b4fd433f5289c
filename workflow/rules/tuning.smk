# Weights by a rule: of each method whose weights are tuned, the candidate that is best on the
# validation part. Sets and students that others wait for go before those that nobody does.
use rule sample as candidates with:
    wildcard_constraints:
        dataset=one_of(WHOLE),
        batch=batch_names(TRIED),
    priority: 80


use rule student as judges with:
    wildcard_constraints:
        batch=batch_names(TRIED),
    priority: 80


rule tuning:
    input:
        students=lambda wildcards: tried_by(study, wildcards.dataset),
    output:
        record=paths.batch("tuning", "{dataset}", "all"),
    log:
        paths.log("metrics/tuning/{dataset}"),
    benchmark:
        paths.benchmark("metrics/tuning/{dataset}")
    priority: 80
    conda:
        "../../envs/data.yaml"
    params:
        cells=tuning_cells,
        lost=lost_of(tuning_cells, "tuning", "all"),
        code=code("tuning.py"),
    script:
        "../scripts/tuning.py"
