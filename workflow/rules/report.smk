SWEEP = study.run["sweep"]
ABLATION = study.run["ablation"]
LIGHTHOUSE = study.run["lighthouse"]


# Each table is made without the inputs that a failed run leaves in want (`absent`); their
# rows then say "missing". The first of a report's categories is its first page's.
rule table_leaderboard:
    input:
        accuracy="results/tables/accuracy.csv",
        significance="results/tables/significance.csv",
        diversity="results/tables/diversity.csv",
        fid="results/tables/fid.csv",
        cost="results/tables/cost.csv",
        published=study.table_path("published"),
    output:
        table="results/tables/leaderboard.csv",
        markdown="results/tables/leaderboard.md",
        latex="results/tables/leaderboard.tex",
        page=report(
            "results/tables/leaderboard.html",
            caption="../report/leaderboard.rst",
            category="1 Leaderboard",
            labels={"table": "Leaderboard"},
        ),
    log:
        "results/logs/tables/leaderboard.log",
    benchmark:
        "results/benchmarks/tables/leaderboard.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        rows=rows.leaderboard_specs(study),
        students=study.run["students"],
        base=study.run["comparisons"]["base"],
        alpha=study.run["comparisons"]["alpha"],
        absent=[],
        code=code("table_leaderboard.py"),
    script:
        "../scripts/table_leaderboard.py"


rule table_accuracy:
    input:
        records=[path for path, _ in rows.student_records(study)],
    output:
        runs="results/tables/runs.csv",
        table="results/tables/accuracy.csv",
        page=report(
            "results/tables/accuracy.html",
            caption="../report/accuracy.rst",
            category="3 Tables",
            labels={"table": "Student accuracy"},
        ),
    log:
        "results/logs/tables/accuracy.log",
    benchmark:
        "results/benchmarks/tables/accuracy.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        rows=[row for _, row in rows.student_records(study)],
        absent=[],
        code=code("table_accuracy.py"),
    script:
        "../scripts/table_accuracy.py"


rule table_significance:
    input:
        runs="results/tables/runs.csv",
    output:
        table="results/tables/significance.csv",
        page=report(
            "results/tables/significance.html",
            caption="../report/significance.rst",
            category="3 Tables",
            labels={"table": "Paired comparisons"},
        ),
    log:
        "results/logs/tables/significance.log",
    benchmark:
        "results/benchmarks/tables/significance.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        cells=as_rows(study.main_cells),
        base=study.run["comparisons"]["base"],
        pairs=study.run["comparisons"]["pairs"],
        alpha=study.run["comparisons"]["alpha"],
        absent=[],
        code=code("table_significance.py"),
    script:
        "../scripts/table_significance.py"


rule table_cost:
    input:
        costs=sorted({path for row in rows.cost_rows(study) for path in paths_of(row)}),
    output:
        table="results/tables/cost.csv",
        page=report(
            "results/tables/cost.html",
            caption="../report/cost.rst",
            category="3 Tables",
            labels={"table": "Cost"},
        ),
    log:
        "results/logs/tables/cost.log",
    benchmark:
        "results/benchmarks/tables/cost.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        rows=rows.cost_rows(study),
        absent=[],
        code=code("table_cost.py"),
    script:
        "../scripts/table_cost.py"


if ABLATION:

    rule table_ablation:
        input:
            runs="results/tables/runs.csv",
            diversity="results/tables/diversity.csv",
        output:
            table="results/tables/ablation.csv",
            page=report(
                "results/tables/ablation.html",
                caption="../report/ablation.rst",
                category="3 Tables",
                labels={"table": "Ablation"},
            ),
        log:
            "results/logs/tables/ablation.log",
        benchmark:
            "results/benchmarks/tables/ablation.tsv"
        conda:
            "../../envs/report.yaml"
        params:
            rows=rows.ablation_specs(study),
            students=ABLATION["students"],
            alpha=study.run["comparisons"]["alpha"],
            absent=[],
            code=code("table_ablation.py"),
        script:
            "../scripts/table_ablation.py"


rule table_diversity:
    input:
        parts=[path for path, _ in rows.set_metrics(study, "diversity")],
    output:
        table="results/tables/diversity.csv",
        page=report(
            "results/tables/diversity.html",
            caption="../report/diversity.rst",
            category="3 Tables",
            labels={"table": "Diversity and set utility"},
        ),
    log:
        "results/logs/tables/diversity.log",
    benchmark:
        "results/benchmarks/tables/diversity.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        names=[row for _, row in rows.set_metrics(study, "diversity")],
        absent=[],
        code=code("concatenate.py"),
    script:
        "../scripts/concatenate.py"


rule table_fid:
    input:
        parts=[path for path, _ in rows.set_metrics(study, "frechet")],
    output:
        table="results/tables/fid.csv",
        page=report(
            "results/tables/fid.html",
            caption="../report/fid.rst",
            category="3 Tables",
            labels={"table": "Fréchet distance"},
        ),
    log:
        "results/logs/tables/fid.log",
    benchmark:
        "results/benchmarks/tables/fid.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        names=[row for _, row in rows.set_metrics(study, "frechet")],
        absent=[],
        code=code("concatenate.py"),
    script:
        "../scripts/concatenate.py"


rule table_spectrum:
    input:
        parts=[path for path, _ in rows.spectra(study, "spectrum")],
    output:
        table="results/tables/spectrum.csv",
        page=report(
            "results/tables/spectrum.html",
            caption="../report/spectrum_values.rst",
            category="3 Tables",
            labels={"table": "Singular values"},
        ),
    log:
        "results/logs/tables/spectrum.log",
    benchmark:
        "results/benchmarks/tables/spectrum.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        names=[row for _, row in rows.spectra(study, "spectrum")],
        absent=[],
        code=code("concatenate.py"),
    script:
        "../scripts/concatenate.py"


rule table_spectrum_ranks:
    input:
        parts=[path for path, _ in rows.spectra(study, "spectrum_ranks")],
    output:
        table="results/tables/spectrum_ranks.csv",
        page=report(
            "results/tables/spectrum_ranks.html",
            caption="../report/spectrum_ranks.rst",
            category="3 Tables",
            labels={"table": "Effective and stable rank"},
        ),
    log:
        "results/logs/tables/spectrum_ranks.log",
    benchmark:
        "results/benchmarks/tables/spectrum_ranks.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        names=[row for _, row in rows.spectra(study, "spectrum_ranks")],
        absent=[],
        code=code("concatenate.py"),
    script:
        "../scripts/concatenate.py"


rule table_guidance:
    input:
        latents=[latents_of(cell) for cell in study.cells if cell.method in SAMPLED],
    output:
        table="results/tables/guidance.csv",
        page=report(
            "results/tables/guidance.html",
            caption="../report/guidance.rst",
            category="3 Tables",
            labels={"table": "Guidance weights as applied"},
        ),
    log:
        "results/logs/tables/guidance.log",
    benchmark:
        "results/benchmarks/tables/guidance.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        cells=as_rows(cell for cell in study.cells if cell.method in SAMPLED),
        absent=[],
        code=code("table_guidance.py"),
    script:
        "../scripts/table_guidance.py"


rule figure_spectrum:
    input:
        tables=[path for path, _ in rows.spectra(study, "spectrum")],
    output:
        pdf="results/figures/spectrum.pdf",
        png=report(
            "results/figures/spectrum.png",
            caption="../report/spectrum.rst",
            category="2 Figures",
            labels={"figure": "Spectrum of deep features"},
        ),
        csv="results/figures/spectrum.csv",
    log:
        "results/logs/figures/spectrum.log",
    benchmark:
        "results/benchmarks/figures/spectrum.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        sources=list(study.spectrum_sources.values()),
        absent=[],
        code=code("figure_spectrum.py"),
    script:
        "../scripts/figure_spectrum.py"


rule figure_samples:
    input:
        images=lambda wildcards: [
            images_of(cell) for cell in rows.largest_cells(study, wildcards.dataset)
        ],
    output:
        png=report(
            "results/figures/samples/{dataset}.png",
            caption="../report/samples.rst",
            category="2 Figures",
            labels={"figure": "Images of each method, {dataset}"},
        ),
    log:
        "results/logs/figures/samples/{dataset}.log",
    benchmark:
        "results/benchmarks/figures/samples/{dataset}.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        seeds=study.run["seeds"][:1],
        classes=[],
        columns=2,
        labels=lambda wildcards: [
            f"{study.methods[cell.method].label}" + (f", IPC {cell.ipc}" if cell.ipc == 1 else "")
            for cell in rows.largest_cells(study, wildcards.dataset)
        ],
        absent=[],
        code=code("figure_grid.py"),
    script:
        "../scripts/figure_grid.py"


# The figures of a sweep over the DPP weight, where a study has one.
if SWEEP:

    rule figure_ssim:
        input:
            tables=expand(
                "results/metrics/diversity/{dataset}/{method}.csv",
                dataset=study.run["datasets"],
                method=SWEEP["method"],
            ),
        output:
            pdf="results/figures/ssim_vs_eta_dpp.pdf",
            png=report(
                "results/figures/ssim_vs_eta_dpp.png",
                caption="../report/ssim.rst",
                category="2 Figures",
                labels={"figure": "SSIM against the DPP weight"},
            ),
            csv="results/figures/ssim_vs_eta_dpp.csv",
        log:
            "results/logs/figures/ssim_vs_eta_dpp.log",
        benchmark:
            "results/benchmarks/figures/ssim_vs_eta_dpp.tsv"
        conda:
            "../../envs/report.yaml"
        params:
            method=SWEEP["method"],
            ipc=SWEEP["ipc"],
            sweeps=rows.swept_values(study),
            table=rows.table_values(study),
            code=code("figure_ssim.py"),
        script:
            "../scripts/figure_ssim.py"

    rule figure_diversity_grid:
        input:
            images=lambda wildcards: [
                images_of(cell) for cell in study.sweep_cells(wildcards.dataset)
            ],
        output:
            png=report(
                "results/figures/diversity_grid/{dataset}.png",
                caption="../report/diversity_grid.rst",
                category="2 Figures",
                labels={"figure": "One class of {dataset} at each DPP weight"},
            ),
        log:
            "results/logs/figures/diversity_grid/{dataset}.log",
        benchmark:
            "results/benchmarks/figures/diversity_grid/{dataset}.tsv"
        conda:
            "../../envs/report.yaml"
        params:
            seeds=study.run["seeds"],
            classes=[SWEEP["shown_class"]],
            columns=SWEEP["ipc"],
            labels=lambda wildcards: [
                f"{study.sweepable(cell.method)['eta_dpp'].symbol} = {cell.eta_dpp:g}"
                for cell in study.sweep_cells(wildcards.dataset)
            ],
            code=code("figure_grid.py"),
        script:
            "../scripts/figure_grid.py"


# The curves of sensitivity, where a study varies more than the DPP weight.
if SWEEP and (SWEEP["lambda"] or SWEEP["mu_dm"]):

    rule figure_sensitivity:
        input:
            runs="results/tables/runs.csv",
            diversity="results/tables/diversity.csv",
        output:
            pdf="results/figures/sensitivity.pdf",
            png=report(
                "results/figures/sensitivity.png",
                caption="../report/sensitivity.rst",
                category="2 Figures",
                labels={"figure": "Sensitivity to λ, η_DPP and μ_DM"},
            ),
            csv="results/figures/sensitivity.csv",
        log:
            "results/logs/figures/sensitivity.log",
        benchmark:
            "results/benchmarks/figures/sensitivity.tsv"
        conda:
            "../../envs/report.yaml"
        params:
            method=SWEEP["method"],
            label=study.methods[SWEEP["method"]].label,
            ipc=SWEEP["ipc"],
            sweeps=rows.swept_values(study),
            axes=rows.swept_labels(study),
            table=rows.table_values(study),
            absent=[],
            code=code("figure_sensitivity.py"),
        script:
            "../scripts/figure_sensitivity.py"


if LIGHTHOUSE:

    rule figure_lighthouse:
        input:
            tables=expand("results/metrics/lighthouse/{dataset}.csv", dataset=study.run["datasets"]),
            tests=expand(
                "results/metrics/lighthouse_test/{dataset}.csv", dataset=study.run["datasets"]
            ),
            maps=expand(
                "results/metrics/lighthouse_map/{dataset}.csv", dataset=study.run["datasets"]
            ),
        output:
            pdf="results/figures/lighthouse.pdf",
            png=report(
                "results/figures/lighthouse.png",
                caption="../report/lighthouse.rst",
                category="2 Figures",
                labels={"figure": "Joint against sequential sampling"},
            ),
            csv="results/figures/lighthouse.csv",
            map="results/figures/lighthouse_map.csv",
        log:
            "results/logs/figures/lighthouse.log",
        benchmark:
            "results/benchmarks/figures/lighthouse.tsv"
        conda:
            "../../envs/report.yaml"
        params:
            datasets=study.run["datasets"],
            absent=[],
            code=code("figure_lighthouse.py"),
        script:
            "../scripts/figure_lighthouse.py"

    rule table_lighthouse:
        input:
            parts=expand(
                "results/metrics/lighthouse_test/{dataset}.csv", dataset=study.run["datasets"]
            ),
        output:
            table="results/tables/lighthouse.csv",
            page=report(
                "results/tables/lighthouse.html",
                caption="../report/lighthouse.rst",
                category="3 Tables",
                labels={"table": "Joint against sequential sampling"},
            ),
        log:
            "results/logs/tables/lighthouse.log",
        benchmark:
            "results/benchmarks/tables/lighthouse.tsv"
        conda:
            "../../envs/report.yaml"
        params:
            names=[{"dataset": dataset} for dataset in study.run["datasets"]],
            absent=[],
            code=code("concatenate.py"),
        script:
            "../scripts/concatenate.py"


rule figure_accuracy_vs_ipc:
    input:
        leaderboard="results/tables/leaderboard.csv",
    output:
        pdf="results/figures/accuracy_vs_ipc.pdf",
        png=report(
            "results/figures/accuracy_vs_ipc.png",
            caption="../report/accuracy_vs_ipc.rst",
            category="2 Figures",
            labels={"figure": "Accuracy against images per class"},
        ),
        csv="results/figures/accuracy_vs_ipc.csv",
    log:
        "results/logs/figures/accuracy_vs_ipc.log",
    benchmark:
        "results/benchmarks/figures/accuracy_vs_ipc.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        methods=rows.method_looks(study),
        absent=[],
        code=code("figure_accuracy_vs_ipc.py"),
    script:
        "../scripts/figure_accuracy_vs_ipc.py"


rule figure_accuracy_vs_cost:
    input:
        leaderboard="results/tables/leaderboard.csv",
        cost="results/tables/cost.csv",
    output:
        pdf="results/figures/accuracy_vs_cost.pdf",
        png=report(
            "results/figures/accuracy_vs_cost.png",
            caption="../report/accuracy_vs_cost.rst",
            category="2 Figures",
            labels={"figure": "Accuracy against seconds per image"},
        ),
        csv="results/figures/accuracy_vs_cost.csv",
    log:
        "results/logs/figures/accuracy_vs_cost.log",
    benchmark:
        "results/benchmarks/figures/accuracy_vs_cost.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        methods=rows.method_looks(study),
        ipc=None,
        absent=[],
        code=code("figure_accuracy_vs_cost.py"),
    script:
        "../scripts/figure_accuracy_vs_cost.py"


rule study_record:
    output:
        record="results/study.json",
    log:
        "results/logs/study_record.log",
    benchmark:
        "results/benchmarks/study_record.tsv"
    conda:
        "../../envs/data.yaml"
    params:
        config=study.config,
        methods=rows.method_records(study),
        hyperparameters=study.hyperparameters,
        code=code("study_record.py"),
    script:
        "../scripts/study_record.py"


rule leaderboard:
    input:
        rules.table_leaderboard.output,


rule ablation:
    input:
        rules.table_ablation.output if ABLATION else [],


rule tables:
    input:
        rules.study_record.output,
        rules.table_leaderboard.output,
        rules.table_accuracy.output,
        rules.table_significance.output,
        rules.table_cost.output,
        rules.table_ablation.output if ABLATION else [],
        rules.table_diversity.output,
        rules.table_fid.output,
        rules.table_spectrum.output,
        rules.table_spectrum_ranks.output,
        rules.table_guidance.output,
        rules.table_lighthouse.output if LIGHTHOUSE else [],


rule figures:
    input:
        rules.figure_accuracy_vs_ipc.output,
        rules.figure_accuracy_vs_cost.output,
        rules.figure_lighthouse.output if LIGHTHOUSE else [],
        rules.figure_sensitivity.output if SWEEP and (SWEEP["lambda"] or SWEEP["mu_dm"]) else [],
        rules.figure_spectrum.output,
        expand(rules.figure_samples.output, dataset=study.run["datasets"]),
        rules.figure_ssim.output if SWEEP else [],
        expand(rules.figure_diversity_grid.output, dataset=study.run["datasets"]) if SWEEP else [],
