# Each table and figure is an item (report.items); a rule here for each.
for item in ITEMS:

    rule:
        name:
            item.name
        input:
            item.waits_for,
        output:
            with_report(item),
        log:
            paths.log(item.place),
        benchmark:
            paths.benchmark(item.place)
        priority: item.priority
        conda:
            "../../envs/report.yaml"
        params:
            item=item.work,
            code=[code("report.py", [item.maker]), TEMPLATES],
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
