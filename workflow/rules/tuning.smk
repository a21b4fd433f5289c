# Weights by a rule: of each method whose weights are tuned, the candidate that is best on the
# validation part; before them, where a dataset's guidance scale is a list, that scale. Sets and
# students that others wait for go before those that nobody does.
use rule sample as candidates with:
    wildcard_constraints:
        dataset=one_of(WHOLE),
        batch=batch_names(TRIED),
    priority: 80


use rule student as judges with:
    wildcard_constraints:
        batch=batch_names(TRIED),
    priority: 80


# Behind a guidance scale waits the verdict on the prior, and behind that all the rest.
use rule candidates as scale_candidates with:
    wildcard_constraints:
        dataset=one_of(WHOLE),
        batch=batch_names(SCALED),
    priority: 110


use rule judges as scale_judges with:
    wildcard_constraints:
        batch=batch_names(SCALED),
    priority: 110


rule tuning:
    input:
        students=lambda wildcards: tried_by(study, tuned_cells(wildcards)),
    output:
        record=paths.batch("tuning", "{dataset}", WEIGHTS),
    log:
        paths.log("metrics/tuning/{dataset}"),
    benchmark:
        paths.benchmark("metrics/tuning/{dataset}")
    priority: 80
    conda:
        "../../envs/data.yaml"
    params:
        cells=tuning_cells,
        lost=lost_of(tuning_cells, "tuning", WEIGHTS),
        code=code("tuning.py"),
    script:
        "../scripts/tuning.py"


use rule tuning as scale with:
    input:
        students=lambda wildcards: tried_by(study, scaled_cells(wildcards)),
    output:
        record=paths.batch("tuning", "{dataset}", SCALES),
    log:
        paths.log("metrics/tuning/{dataset}/scale"),
    benchmark:
        paths.benchmark("metrics/tuning/{dataset}/scale")
    priority: 110
    params:
        cells=scale_cells,
        lost=lost_of(scale_cells, "tuning", SCALES),
        code=code("tuning.py"),
