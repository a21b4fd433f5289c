"""The workflow as a module of another one, as users of Snakemake's catalogue have it."""

import re
import shutil
import subprocess

import pytest
import yaml

from repository import ROOT
from running import snakemake
from shipped import LEFT_OUT

#: As `snakedeploy deploy-workflow` writes it, beside a copy of `config/`.
DEPLOYED = """
configfile: "config/config.yaml"

module lighthouse:
    snakefile:
        "{snakefile}"
    config:
        config

use rule * from lighthouse
"""
#: Of a workflow with rules and a config of its own.
WITHIN = """
configfile: "own.yaml"

module lighthouse:
    snakefile:
        "{snakefile}"
    config:
        config["lighthouse"]
    {more}

use rule * from lighthouse as lighthouse_*

onstart:
    lighthouse.onstart()

onsuccess:
    lighthouse.onsuccess()

onerror:
    lighthouse.onerror()

rule mine:
    default_target: True
    input: "results/study.json"
    output: "mine.txt"
    shell: "grep -c plain {{input}} > {{output}}"
"""
SMALL = {"methods": ["dit"], "ipc": [2], **LEFT_OUT}
SMALL["spectrum"] = {"ipc": 2, "curves": [{"source": "DiT", "method": "dit"}]}


def written(folder, text, config=None, more=""):
    """Another workflow's folder, with its Snakefile and the config that it gives to the module."""
    (folder / "workflow").mkdir()
    snakefile = text.format(snakefile=ROOT / "workflow" / "Snakefile", more=more)
    (folder / "workflow" / "Snakefile").write_text(snakefile, encoding="utf-8")
    if config is not None:
        (folder / "own.yaml").write_text(yaml.safe_dump({"lighthouse": config}), encoding="utf-8")


def counted(done):
    """Jobs by rule of a dry run."""
    assert done.returncode == 0, done.stdout
    return dict(re.findall(r"^(\w+) +(\d+)$", done.stdout, flags=re.M))


@pytest.mark.workflow
def test_a_deployed_copy_has_the_jobs_of_the_default(tmp_path):
    written(tmp_path, DEPLOYED)
    shutil.copytree(ROOT / "config", tmp_path / "config")
    (tmp_path / "alone").mkdir()
    own = ("--snakefile", ROOT / "workflow" / "Snakefile", "--directory", tmp_path / "alone")
    expected = counted(snakemake("-n", "--quiet", "rules", *own))
    assert counted(snakemake("-n", "--quiet", "rules", cwd=tmp_path)) == expected
    # The tables that were copied are the ones that are read.
    (tmp_path / "config" / "methods.tsv").write_text("methods\n", encoding="utf-8")
    done = snakemake("-n", "--quiet", "rules", cwd=tmp_path)
    assert done.returncode != 0 and "config/methods.tsv" in done.stdout


@pytest.mark.workflow
def test_a_module_works_in_the_folder_of_the_workflow_that_uses_it(tmp_path):
    written(tmp_path, WITHIN, {"study": "named", "run": SMALL})
    done = snakemake("--cores", 1, "--quiet", "rules", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert (tmp_path / "mine.txt").read_text("utf-8").strip() != "0"
    # By the handlers that it calls.
    assert (tmp_path / "results" / "manifest.json").is_file()
    assert not (ROOT / "runs" / "named").exists() and not (tmp_path / "runs").exists()


@pytest.mark.workflow
def test_paths_of_a_modules_config_are_relative_to_where_it_runs(tmp_path):
    config = yaml.safe_load((ROOT / "config" / "folder.yaml").read_text("utf-8"))
    config["datasets"]["textures"]["root"] = "mine"
    config["run"] |= {"sweep": None, "claims": None, "methods": ["random", "dit"], "only": []}
    config["run"] |= {"comparisons": {"pairs": []}}
    config["run"]["spectrum"] = {"ipc": 5, "curves": [{"source": "DiT", "method": "dit"}]}
    written(tmp_path, WITHIN, config)
    done = snakemake("-n", "--quiet", cwd=tmp_path)
    assert done.returncode != 0
    assert f"{tmp_path}/mine: no such folder" in done.stdout


@pytest.mark.workflow
def test_a_module_out_of_a_repository_of_git_has_its_package(tmp_path):
    """Of GitHub's Snakemake keeps a clone: this one is there before, so that no net is needed."""
    clone = tmp_path / "cache/snakemake/snakemake/source-cache/snakemake-git-cache/github.com/a/b"
    for name in ("workflow", "config", "envs"):
        unwanted = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, clone / name, ignore=unwanted)
    names = ("-c", "user.name=a", "-c", "user.email=a@b")
    for words in (["init", "-q"], ["add", "."], [*names, "commit", "-qm", "all"], ["tag", "v1"]):
        subprocess.run(["git", *words], cwd=clone, check=True)
    source = '"{snakefile}"', 'github("a/b", path="workflow/Snakefile", tag="v1")'
    folder = tmp_path / "own"
    folder.mkdir()
    written(folder, WITHIN.replace(*source), {"run": SMALL})
    done = snakemake(
        "--cores", 1, "--quiet", "rules", cwd=folder, XDG_CACHE_HOME=tmp_path / "cache"
    )
    assert done.returncode == 0, done.stdout
    assert (folder / "mine.txt").is_file()
    (package,) = (folder / ".snakemake" / "lighthouse").iterdir()
    assert (package / "workflow" / "lib" / "lighthouse").is_dir()


@pytest.mark.workflow
def test_a_module_with_a_prefix_is_refused(tmp_path):
    written(tmp_path, WITHIN, {"run": SMALL}, more='prefix: "there"')
    done = snakemake("-n", "--quiet", cwd=tmp_path)
    assert done.returncode != 0
    assert "module: has a prefix" in done.stdout and "run Snakemake in another" in done.stdout


def test_the_catalogue_finds_what_it_asks_for():
    told = yaml.safe_load((ROOT / ".snakemake-workflow-catalog.yml").read_text("utf-8"))
    assert told["usage"]["report"] and told["usage"]["software-stack-deployment"]["conda"]
    for name in ("workflow/Snakefile", "config/README.md", "config/config.yaml"):
        assert (ROOT / name).is_file()
    assert {"snakemake", "workflow"} <= set(
        re.findall(r"\w+", (ROOT / "README.md").read_text("utf-8").lower())
    )
