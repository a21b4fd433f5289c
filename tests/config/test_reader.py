"""Study files are read strictly: what is plain is read as YAML reads it, and advice is right."""

import re

import pytest
import yaml
from snakemake.common.configfile import load_configfile
from snakemake.utils import update_config

from lighthouse.config.reader import ALLOW_YTE, check_files, laid_over, read_studies, read_study
from lighthouse.config.schema import ConfigError, check
from repository import ROOT
from shipped import DEFAULT

STUDIES = sorted(
    path.relative_to(ROOT)
    for folder in ("config", "tests/configs", "tests/slurm", "docs")
    for path in (ROOT / folder).rglob("*.yaml")
)


@pytest.mark.parametrize("name", STUDIES, ids=str)
def test_every_shipped_study_is_read_as_snakemake_reads_it(name):
    assert read_study(ROOT / name) == (load_configfile(ROOT / name), [])


@pytest.mark.parametrize("name", ["config/rivals.yaml", "tests/configs/tiny.yaml"])
def test_studies_are_laid_over_one_another_as_snakemake_does(name):
    shipped = read_studies([ROOT / "config" / "config.yaml"])
    given = load_configfile(ROOT / name)
    wanted = load_configfile(ROOT / "config" / "config.yaml")
    update_config(wanted, given)
    assert laid_over(shipped, given) == wanted
    assert shipped == DEFAULT


def test_json_and_a_byte_order_mark_are_read(tmp_path):
    path = tmp_path / "study.json"
    path.write_text('{"study": "a", "run": {"ipc": [1, 5]}}', encoding="utf-8-sig")
    assert read_study(path) == ({"study": "a", "run": {"ipc": [1, 5]}}, [])


def test_what_a_merge_key_brings_may_be_said_anew(tmp_path):
    path = tmp_path / "study.yaml"
    path.write_text("a: &a {x: 1, y: 2}\nb:\n  <<: *a\n  x: 3\n", encoding="utf-8")
    assert read_study(path) == ({"a": {"x": 1, "y": 2}, "b": {"x": 3, "y": 2}}, [])


NUMBERS = ("1e3", "1e-3", "1.0e3", "3e-4", "2.5E5", "1e+2", "-1e-2", ".5e1", "5.e1", "1E0", "1e300")
QUOTED = ("12", "0.5", ".5", "5.", "5.0", "1_000")


@pytest.mark.parametrize("word", [*NUMBERS, *QUOTED])
@pytest.mark.parametrize("kind", ["number", "integer"])
def test_the_advice_on_a_number_is_one_that_yaml_reads(word, kind):
    (line,) = check(word, {"type": kind}, "here")
    if kind == "integer" and not float(word).is_integer():
        assert "write" not in line
        return
    advice = re.search(r"; write ([^)]+)\)", line)[1]
    spelled = word if "without" in advice else advice
    number = yaml.load(spelled, yaml.FullLoader)  # noqa: S506 (as Snakemake reads it)
    assert number == float(word)
    assert check(number, {"type": kind}, "here") == []


def test_python_in_a_study_is_refused_unless_it_is_allowed(tmp_path, monkeypatch):
    path = tmp_path / "study.yaml"
    path.write_text("__use_yte__: true\nstudy: ?'a' + 'b'\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="runs the Python in the file"):
        check_files([path])
    monkeypatch.setenv(ALLOW_YTE, "1")
    check_files([path])
    path.write_text("__use_yte__: false\nstudy: ab\n", encoding="utf-8")
    assert read_study(path) == ({"study": "ab"}, [])


def test_no_file_is_evaluated(tmp_path):
    trace = tmp_path / "trace"
    path = tmp_path / "study.yaml"
    for text in (
        f"__use_yte__: true\nstudy: ?open({str(trace)!r}, 'w')\n",
        f"study: !!python/object/apply:open [{trace}, w]\n",
    ):
        path.write_text(text, encoding="utf-8")
        with pytest.raises(ConfigError):
            read_studies([path])
    assert not trace.exists()
