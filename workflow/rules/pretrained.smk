# Compute nodes seldom have a network.
localrules:
    pretrained,
    weights,


# The record stands for the folder beside it, which no rerun removes and a user may fill
# by hand. No digest of the code among the parameters: what lies at a commit stays the same.
rule pretrained:
    output:
        record=f"{DOWNLOADS}/hub/{{repo}}/{{revision}}.json",
    log:
        paths.log("pretrained/{repo}/{revision}"),
    benchmark:
        paths.benchmark("pretrained/{repo}/{revision}")
    wildcard_constraints:
        repo=one_of(repo for repo, _ in HUB),
        revision=one_of(revision for _, revision in HUB),
    conda:
        "../../envs/diffusion.yaml"
    params:
        kinds=kinds_of,
    script:
        "../scripts/pretrained.py"


# No digest of the code: its hash says what the file is.
rule weights:
    output:
        weights=f"{DOWNLOADS}/weights/{{name}}.pth",
    log:
        paths.log("weights/{name}"),
    benchmark:
        paths.benchmark("weights/{name}")
    wildcard_constraints:
        name=one_of(DOWNLOADED),
    conda:
        "../../envs/data.yaml"
    params:
        weights=lambda wildcards: asdict(DOWNLOADED[wildcards.name]),
    script:
        "../scripts/weights.py"
