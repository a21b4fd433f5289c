SWEEP = study.run["sweep"]
SPECTRUM = study.run["spectrum"]


rule table_accuracy:
    input:
        records=[
            f"results/students/{student}/{protocol}/{cell.path}.json"
            for cell, student, protocol in study.evaluations
        ],
    output:
        table="results/tables/accuracy.csv",
        page=report(
            "results/tables/accuracy.html",
            caption="../report/accuracy.rst",
            category="Tables",
            labels={"table": "Student accuracy"},
        ),
    log:
        "results/logs/tables/accuracy.log",
    benchmark:
        "results/benchmarks/tables/accuracy.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        rows=[
            {"cell": asdict(cell), "student": student, "protocol": protocol}
            for cell, student, protocol in study.evaluations
        ],
        code=code("table_accuracy.py"),
    script:
        "../scripts/table_accuracy.py"


rule table_diversity:
    input:
        parts=[
            f"results/metrics/diversity/{dataset}/{method}.csv"
            for dataset in study.run["datasets"]
            for method in study.run["methods"]
        ],
    output:
        table="results/tables/diversity.csv",
        page=report(
            "results/tables/diversity.html",
            caption="../report/diversity.rst",
            category="Tables",
            labels={"table": "Diversity and set utility"},
        ),
    log:
        "results/logs/tables/diversity.log",
    benchmark:
        "results/benchmarks/tables/diversity.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        code=code("concatenate.py"),
    script:
        "../scripts/concatenate.py"


rule table_fid:
    input:
        parts=expand("results/metrics/frechet/{dataset}.csv", dataset=study.run["datasets"]),
    output:
        table="results/tables/fid.csv",
        page=report(
            "results/tables/fid.html",
            caption="../report/fid.rst",
            category="Tables",
            labels={"table": "Fréchet distance"},
        ),
    log:
        "results/logs/tables/fid.log",
    benchmark:
        "results/benchmarks/tables/fid.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        code=code("concatenate.py"),
    script:
        "../scripts/concatenate.py"


rule table_spectrum:
    input:
        parts=expand("results/metrics/spectrum/{dataset}.csv", dataset=study.run["datasets"]),
    output:
        table="results/tables/spectrum.csv",
        page=report(
            "results/tables/spectrum.html",
            caption="../report/spectrum_values.rst",
            category="Tables",
            labels={"table": "Singular values"},
        ),
    log:
        "results/logs/tables/spectrum.log",
    benchmark:
        "results/benchmarks/tables/spectrum.tsv"
    conda:
        "../../envs/report.yaml"
    params:
        code=code("concatenate.py"),
    script:
        "../scripts/concatenate.py"


rule table_spectrum_ranks:
    input:
        parts=expand("results/metrics/spectrum_ranks/{dataset}.csv", dataset=study.run["datasets"]),
    output:
        table="results/tables/spectrum_ranks.csv",
        page=report(
            "results/tables/spectrum_ranks.html",
            caption="../report/spectrum_ranks.rst",
            category="Tables",
            labels={"table": "Effective and stable rank"},
        ),
    log:
        "results/logs/tables/spectrum_ranks.log",
    benchmark:
        "results/benchmarks/tables/spectrum_ranks.tsv"
    conda:
        "../../envs/report.yaml"
    params:
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
            category="Tables",
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
        code=code("table_guidance.py"),
    script:
        "../scripts/table_guidance.py"


rule figure_spectrum:
    input:
        tables=expand("results/metrics/spectrum/{dataset}.csv", dataset=study.run["datasets"]),
    output:
        pdf="results/figures/spectrum.pdf",
        png=report(
            "results/figures/spectrum.png",
            caption="../report/spectrum.rst",
            category="Figures",
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
        sources=[curve["source"] for curve in SPECTRUM["curves"]],
        code=code("figure_spectrum.py"),
    script:
        "../scripts/figure_spectrum.py"


rule figure_samples:
    input:
        images=lambda wildcards: [
            images_of(study.cell(wildcards.dataset, method, max(study.run["ipc"])))
            for method in study.run["methods"]
        ],
    output:
        png=report(
            "results/figures/samples/{dataset}.png",
            caption="../report/samples.rst",
            category="Figures",
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
        labels=[study.methods[method].label for method in study.run["methods"]],
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
                category="Figures",
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
            sweep=SWEEP,
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
                category="Figures",
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
                f"η_DPP = {cell.eta_dpp:g}" for cell in study.sweep_cells(wildcards.dataset)
            ],
            code=code("figure_grid.py"),
        script:
            "../scripts/figure_grid.py"


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
        methods=[asdict(study.methods[method]) for method in study.run["methods"]],
        hyperparameters=list(study.hyperparameters.values()),
        code=code("study_record.py"),
    script:
        "../scripts/study_record.py"


rule tables:
    input:
        rules.study_record.output,
        rules.table_accuracy.output,
        rules.table_diversity.output,
        rules.table_fid.output,
        rules.table_spectrum.output,
        rules.table_spectrum_ranks.output,
        rules.table_guidance.output,


rule figures:
    input:
        rules.figure_spectrum.output,
        expand(rules.figure_samples.output, dataset=study.run["datasets"]),
        rules.figure_ssim.output if SWEEP else [],
        expand(rules.figure_diversity_grid.output, dataset=study.run["datasets"]) if SWEEP else [],
