"""The command that looks at study files before Snakemake does."""

import pytest

from lighthouse.check import main, study_of
from repository import ROOT


def test_a_study_in_order_is_told_in_one_line(capsys):
    path = ROOT / "config" / "evidence.yaml"
    study = study_of([path])
    methods, cells = len(study.run["methods"]), len(study.cells)
    assert main([str(path)]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line == (
        f"study evidence: in order. {methods} methods on digits at IPC 1, 5, 10: {cells} cells, "
        f"{20 * cells:,} sets in 10 replicates, judged by convnet2 under digits"
    )


def test_files_are_laid_over_one_another(tmp_path, capsys):
    path = tmp_path / "more.yaml"
    path.write_text("study: more\nrun: {seeds: [0, 1]}\n", encoding="utf-8")
    assert main([str(ROOT / "config" / "rivals.yaml"), str(path)]) == 0
    assert "study more: in order" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("study: other\nrun: {ceilign: true}\n", "config: run: unknown key 'ceilign'"),
        ("study: other\nstudy: another\n", "line 2: key 'study' stands twice"),
        ("run: {ceiling: false}\n", "config: study: 'default' is config/config.yaml as it is"),
        ("study: other\ntables: {methods: none.tsv}\n", "none.tsv"),
    ],
)
def test_mistakes_are_told_and_the_status_says_so(tmp_path, capsys, text, told):
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    assert main([str(path)]) == 1
    assert told in capsys.readouterr().out


def test_what_its_jobs_would_not_find_is_told(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    path = tmp_path / "pets.yaml"
    path.write_text("study: pets\npreset: small\ndatasets: {images: {root: ~/pets}}\n")
    assert main([str(path)]) == 0
    said = capsys.readouterr().out
    lacks = said.split("Before its jobs can run here:\n")[1]
    assert f"datasets.images: {tmp_path}/pets: one class alone" in lacks
