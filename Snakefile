# The workflow: workflow/Snakefile, where modules and Snakemake's catalogue look for it.
include: "workflow/Snakefile"


# That of an included file is none by itself.
workflow.default_target = "all"
