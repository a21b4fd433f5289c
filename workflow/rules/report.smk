# Each table and figure is an item (report.items); a rule here for each.
for item in ITEMS:

    rule:
        name:
            item.name
        input:
            item.reads,
        output:
            with_report(item),
        log:
            f"results/logs/{item.place}.log",
        benchmark:
            f"results/benchmarks/{item.place}.tsv"
        conda:
            "../../envs/report.yaml"
        params:
            item=item.work,
            code=[code("report.py"), code(item.code), TEMPLATES],
        script:
            "../scripts/report.py"


rule leaderboard:
    input:
        outputs_of("table_leaderboard"),


rule ablation:
    input:
        outputs_of("table_ablation"),


rule tables:
    input:
        outputs_of("study_record", "table_"),


rule figures:
    input:
        outputs_of("figure_"),
