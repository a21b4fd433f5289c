from snakemake.utils import min_version

min_version("9.0")


configfile: f"{workflow.basedir}/config/config.yaml"


include: "workflow/rules/common.smk"
include: "workflow/rules/handlers.smk"


report: report_text()


include: "workflow/rules/data.smk"
include: "workflow/rules/pretrained.smk"
include: "workflow/rules/prior.smk"
include: "workflow/rules/sample.smk"
include: "workflow/rules/students.smk"
include: "workflow/rules/tuning.smk"
include: "workflow/rules/metrics.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/audit.smk"


# Neither in a dry run nor in a job: what a study needs on disk is looked for when
# jobs are about to start.
onstart:
    check_data(study)
    begin_manifest()
    stopped.finish_when_told()


# A method that fails stops its own rows: the tables are made without them, and say so.
onerror:
    tell_stopped()
    show_missing(ITEMS)
    tell_failed_cells()
    enter_results(done=False)


# Nor does a cell that fails stop its job; the run has failed all the same, and so has one that may
# have read what somebody changed.
onsuccess:
    failed = tell_failed_cells()
    changed = enter_results(done=not failed)
    if failed or changed:
        sys.exit(1)
    tell_results()


rule all:
    default_target: True
    input:
        rules.tables.input,
        rules.figures.input,
        rules.distilled_sets.input,
        rules.audit.output,
