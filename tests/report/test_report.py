"""Tables and figures: statistics by hand, nothing dropped, the same data the same file."""

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex

from lighthouse.config.grid import ALL, TABLE
from lighthouse.report import accuracy, guidance
from lighthouse.report.figures import (
    COLOURS,
    band,
    plt,
    save_figure,
    spectrum_figure,
    ssim_curve,
)
from lighthouse.report.guidance import guidance_table
from lighthouse.report.making import write
from lighthouse.report.rendering import readable, table_page
from lighthouse.report.tables import Table
from lighthouse.tables import cell_key, read_rows, write_rows

CELL = {"dataset": "toy", "method": "m", "ipc": 5, "variant": TABLE}
ROW = {**CELL, "student": "convnet2", "protocol": "digits"}
#: Two replicates of one set.
EACH = {0: 0, 1: 1}


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def record(*sets):
    """A record of students: for each sampling seed (last, best) of each student."""
    runs = [
        {"seed": seed, "student_seed": k, "last": last, "best": best}
        for seed, students in enumerate(sets)
        for k, (last, best) in enumerate(students)
    ]
    return {"runs": runs, "best_chosen_on": "val"}


# Tables.


def test_an_accuracy_row_has_the_statistics_by_hand():
    row = accuracy.accuracy_row(
        ROW, record([(0.5, 0.6), (0.54, 0.7)], [(0.7, 0.7), (0.66, 0.8)]), EACH
    )
    assert row["top1_last_mean"] == pytest.approx(60)
    assert row["top1_last_std"] == pytest.approx((272 / 3) ** 0.5)
    assert row["top1_best_mean"] == pytest.approx(70)
    assert (row["n_replicates"], row["n_seeds"], row["n_students"]) == (2, 2, 2)
    # Set means 52 and 68: MS_between = 2·(8² + 8²); within a set 2·2²; (256 - 8)/2.
    assert row["std_replicates"] == pytest.approx(124**0.5)
    # One set a replicate: which of the two it is, nobody knows.
    assert row["std_sets"] != row["std_sets"]
    assert row["std_students"] == pytest.approx(8**0.5)
    assert (row["best_chosen_on"], row["status"]) == ("val", "measured")
    assert tuple(row) == accuracy.COLUMNS


def test_one_training_has_no_standard_deviation():
    row = accuracy.accuracy_row(ROW, record([(0.5, 0.6)]), EACH)
    assert all(row[name] != row[name] for name in ("top1_last_std", "std_sets", "std_students"))


def test_every_training_is_a_row_of_its_own():
    rows = accuracy.run_rows(
        ROW, record([(0.5, 0.6), (0.54, 0.7)], [(0.7, 0.7), (0.66, 0.8)]), EACH
    )
    assert [(row["seed"], row["student_seed"]) for row in rows] == [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert rows[3]["top1_last"] == pytest.approx(66)
    assert rows[3]["top1_best"] == pytest.approx(80)
    assert tuple(rows[0]) == accuracy.RUN_COLUMNS


def test_a_record_that_failed_is_one_missing_row_in_both_tables():
    (run,), row = accuracy.run_rows(ROW, None, EACH), accuracy.accuracy_row(ROW, None, EACH)
    for found, columns in ((run, accuracy.RUN_COLUMNS), (row, accuracy.COLUMNS)):
        assert tuple(found) == columns
        assert found["status"] == "missing"
        assert found["student"] == "convnet2"
    assert row["top1_last_mean"] != row["top1_last_mean"]


def test_the_ceiling_is_a_row_of_students_on_one_set():
    ceiling = {**ROW, "method": "full", "ipc": ALL}
    row = accuracy.accuracy_row(ceiling, record([(0.9, 0.9), (0.94, 0.95)]), EACH)
    assert (row["ipc"], row["n_seeds"], row["n_students"]) == ("all", 1, 2)
    assert row["std_sets"] != row["std_sets"]
    assert row["std_students"] == pytest.approx(8**0.5)


def test_numbers_and_names_are_read_back_as_they_were_written(tmp_path):
    rows = [
        {"method": "rsm", "ipc": 5, "p": 1.5e-07, "x": float("nan"), "lambda": -0.5},
        {"method": "k-centre", "ipc": "all", "p": 1.0, "x": 2.25, "lambda": 0.0},
    ]
    write_rows(tmp_path / "t.csv", rows)
    first, second = read_rows(tmp_path / "t.csv")
    assert first.pop("x") != first.get("x")
    assert first == {key: value for key, value in rows[0].items() if key != "x"}
    assert second == rows[1]


def test_a_cell_is_found_whether_a_rule_or_a_file_names_it(tmp_path):
    third = {**CELL, "variant": f"lambda~{1 / 3!r}"}
    write_rows(tmp_path / "t.csv", [third])
    assert cell_key(read_rows(tmp_path / "t.csv")[0]) == cell_key(third)
    assert cell_key(third) == cell_key({**third, "ipc": 5.0})
    assert cell_key(third) != cell_key(CELL)
    assert cell_key(third) != cell_key({**third, "variant": "lambda~0.333333"})


def test_a_table_without_rows_has_its_columns(tmp_path):
    write_rows(tmp_path / "t.csv", [], ("a", "b"))
    assert (tmp_path / "t.csv").read_text() == "a,b\n"


def test_what_is_not_a_number_becomes_an_empty_field(tmp_path):
    rows = [
        {"a": 1, "b": float("nan")},
        {"a": 2, "b": 0.12345678},
        {"a": 3, "b": np.float64("nan")},
    ]
    write_rows(tmp_path / "t.csv", rows)
    assert (tmp_path / "t.csv").read_text() == "a,b\n1,\n2,0.123457\n3,\n"


def test_a_row_with_other_columns_is_refused(tmp_path):
    with pytest.raises(ValueError, match="b"):
        write_rows(tmp_path / "t.csv", [{"a": 1}, {"a": 1, "b": 2}])
    assert not (tmp_path / "t.csv").exists()


def about(weights, applied):
    return {"options": {"weights": weights, "applied_weights": applied, "latent_dim": 256}}


def test_a_guidance_row_has_the_weights_as_given_and_as_applied():
    given = {"eta_dpp": 100.0, "mu_dm": 1000.0}
    row = guidance.guidance_row(CELL, about(given, {"eta_dpp": 6.25, "mu_dm": 62.5}))
    assert (row["eta_dpp"], row["eta_dpp_applied"], row["mu_dm_applied"]) == (100.0, 6.25, 62.5)
    assert row["eta_share"] == pytest.approx(100 / 4096)
    assert (row["latent_dim"], row["mean_pull"]) == (256, 2 * 1000 / (5 * 4096))
    assert (row["k_influence"], row["mode_scale"], row["status"]) == (0.0, 0.0, "measured")
    assert tuple(row) == guidance.columns()


def test_a_guidance_row_has_the_weights_of_a_rival():
    given = {"k_influence": 5.0, "gamma_deviation": 50.0}
    row = guidance.guidance_row(CELL, about(given, {"k_influence": 5.0, "gamma_deviation": 3.125}))
    assert (row["k_influence"], row["gamma_deviation"]) == (5.0, 50.0)
    assert row["gamma_deviation_applied"] == 3.125
    assert row["eta_dpp_applied"] == 0.0


def test_a_guidance_row_of_samples_that_failed_is_missing():
    row = guidance.guidance_row(CELL, None)
    assert (row["method"], row["status"]) == ("m", "missing")
    assert row["mean_pull"] != row["mean_pull"]
    assert tuple(row) == guidance.columns()


def test_the_guidance_table_has_a_row_a_cell_whether_its_samples_are_there_or_not():
    record = about({"eta_dpp": 100.0}, {"eta_dpp": 6.25})
    found = guidance_table([record, None], [CELL, {**CELL, "method": "lost"}])["table"]
    assert [row["status"] for row in found.rows] == ["measured", "missing"]
    assert found.rows[0]["eta_dpp_applied"] == 6.25
    assert found.columns == guidance.columns()


# Figures.


def sweep(datasets, weights=(0, 30, 100), seeds=3):
    rows = [
        {"dataset": d, "eta_dpp": w, "seed": s, "ssim": 0.5 - w / 1000 + s / 100}
        for d in datasets
        for w in weights
        for s in range(seeds)
    ]
    return band(pd.DataFrame(rows), ["dataset", "eta_dpp"], "ssim")


def test_a_band_is_the_mean_and_sample_deviation_over_seeds():
    first = sweep(["a"]).iloc[0]
    assert first["mean"] == pytest.approx(0.51)
    assert first["std"] == pytest.approx(0.01)
    assert first["n_seeds"] == 3


@pytest.mark.parametrize("n", [1, 3, 8])
def test_the_ssim_curve_has_a_line_and_a_band_for_every_dataset(n):
    names = [f"d{i}" for i in range(n)]
    axes = ssim_curve(sweep(names), "title").axes[0]
    assert [line.get_label() for line in axes.lines] == names
    assert len(axes.collections) == n


def test_the_ssim_curve_shows_the_means_it_is_given():
    data = sweep(["a"])
    (line,) = ssim_curve(data, "title").axes[0].lines
    assert line.get_xdata().tolist() == [0, 30, 100]
    assert line.get_ydata().tolist() == data["mean"].tolist()


@pytest.mark.parametrize("weights", [(0, 30, 100, 300, 1000), (0, 0.5, 2), (1, 10)])
def test_the_ssim_curve_has_every_weight_on_its_axis(weights):
    figure = ssim_curve(sweep(["a"], weights), "title")
    figure.canvas.draw()
    axis = figure.axes[0].xaxis
    assert [text.get_text() for text in axis.get_ticklabels()] == [f"{w:g}" for w in weights]
    pixels = figure.axes[0].transData.transform([(w, 0) for w in weights])[:, 0]
    assert (np.diff(pixels) > 5).all()


def test_a_single_seed_gives_a_curve_without_a_band(tmp_path):
    save_figure(ssim_curve(sweep(["a"], seeds=1), "title"), [tmp_path / "a.png"])
    assert (tmp_path / "a.png").stat().st_size > 0


def spectra(datasets, sources):
    rows = [
        {"dataset": d, "source": s, "index": i, "mean": 1 / i, "std": 0.1 / i}
        for d in datasets
        for s in sources
        for i in range(1, 6)
    ]
    return pd.DataFrame(rows)


@pytest.mark.parametrize("n", [1, 3, 8])
def test_the_spectrum_has_a_line_for_every_source(n):
    sources = [f"s{i}" for i in range(n)]
    (axes,) = spectrum_figure(spectra(["a"], sources), sources).axes
    assert [line.get_label() for line in axes.lines] == sources


def test_the_spectrum_has_a_panel_for_every_dataset():
    figure = spectrum_figure(spectra(["a", "b"], ["real"]), ["real"])
    assert [axes.get_title() for axes in figure.axes] == ["a", "b"]


def test_the_control_is_labelled_with_its_greek_letter():
    (axes,) = spectrum_figure(spectra(["a"], ["lambda=0"]), ["lambda=0"]).axes
    assert axes.lines[0].get_label() == "λ=0"


def test_a_spectrum_that_ends_in_zero_is_drawn(tmp_path):
    data = spectra(["a"], ["real"])
    data.loc[data["index"] == 5, ["mean", "std"]] = 0.0
    save_figure(spectrum_figure(data, ["real"]), [tmp_path / "a.png"])


def test_no_two_colours_are_alike():
    assert len({to_hex(colour) for colour in COLOURS}) == len(COLOURS)


@pytest.mark.parametrize("suffix", ["pdf", "png"])
def test_the_same_figure_is_the_same_file(tmp_path, suffix):
    paths = [tmp_path / f"{name}.{suffix}" for name in ("one", "two")]
    for path in paths:
        save_figure(ssim_curve(sweep(["a"]), "title"), [path])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"Date" not in paths[0].read_bytes()


def test_a_table_is_written_as_csv_and_as_a_page_with_the_same_fields(tmp_path):
    rows = [{"method": "rsm", "ssim": 0.5}, {"method": "<dit>", "ssim": float("nan")}]
    write(Table(rows), [tmp_path / "t.csv", tmp_path / "t.html"])
    page = (tmp_path / "t.html").read_text()
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == "rsm,0.5"
    for field in ("rsm", "0.5", "&lt;dit&gt;", "–"):
        assert f"<td>{field}</td>" in page


def test_a_missing_row_stands_out_on_the_page():
    page = table_page(Table([{"a": "m", "status": "missing"}]))
    assert '<td class="missing">missing</td>' in page


def test_a_page_without_rows_has_its_columns():
    assert "<table>\n<tr><th>a</th><th>b</th></tr>\n</table>" in table_page(Table([], ("a", "b")))


@pytest.mark.parametrize(
    ("text", "shown"),
    [("", "–"), ("0.123456", "0.1235"), ("1.5e-07", "1.5e-07"), ("1400000", "1400000"), ("x", "x")],
)
def test_a_field_is_shown_at_a_readable_precision(text, shown):
    assert readable(text) == shown


@pytest.mark.parametrize("label", ["2024", "05", "1e3", "nan", "-7"])
def test_a_label_that_looks_like_a_number_stays_a_label(tmp_path, label):
    write_rows(tmp_path / "t.csv", [{"label": label, "top1": 7.0}])
    assert read_rows(tmp_path / "t.csv") == [{"label": label, "top1": 7}]
