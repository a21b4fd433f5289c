"""What a run says of study files that Snakemake has read without a word."""

import pytest

from running import snakemake

pytestmark = pytest.mark.workflow


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("study: a\nrun: {ceiling: true}\nstudy: b\n", "line 3: key 'study' stands twice"),
        ("__use_yte__: true\nstudy: ?'a' + 'b'\n", "LIGHTHOUSE_ALLOW_YTE=1"),
    ],
    ids=["a key twice", "Python"],
)
def test_a_run_stops_at_a_file_in_which_something_is_lost_or_run(tmp_path, text, told):
    path = tmp_path / "study.yaml"
    path.write_text(text, encoding="utf-8")
    done = snakemake("-n", "--configfile", path)
    assert done.returncode == 1
    assert f"  - {path}" in done.stdout and told in done.stdout
