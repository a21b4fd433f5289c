"""What the reader of tables takes, and that nothing but a list of mistakes comes of all else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighthouse.config.schema import check, load_schema
from lighthouse.config.table_files import SHOWN, read_table
from shipped import SCHEMA, SCHEMAS, SHIPPED

METHODS = load_schema(SCHEMAS / "methods.schema.yaml")
NUMBERS = load_schema(SCHEMAS / "hyperparameters.schema.yaml")
HEADER = "method\tcoreset\tprior\tcoupling\tguidance\tlabel\tstart\tweights"
ROW = "dit\t\tbase\tiid\t\tDiT"
READ = {"method": "dit", "prior": "base", "coupling": "iid", "label": "DiT"}


def read(folder, text, schema=METHODS):
    path = folder / "table.tsv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path, schema)


@pytest.mark.parametrize(
    "text",
    [
        f"{HEADER}\n{ROW}\n",
        f"{HEADER}\n{ROW}",
        f"\ufeff{HEADER}\r\n{ROW}\r\n",
        f"{HEADER}\n\n{ROW}\t\t\n \t\n",
        f"{HEADER[: HEADER.index(chr(9) + 'start')]}\n{ROW}\n",
    ],
    ids=["as shipped", "no last newline", "of Windows", "blank lines", "without columns"],
)
def test_one_table_in_several_spellings(tmp_path, text):
    assert read(tmp_path, text) == ([READ], [])


def test_a_label_is_any_text_in_one_line(tmp_path):
    label = '=A1 & $\\frac$ <b> "x", 1e5 |_{^}~% 数 🙂 e\u0301'
    rows, problems = read(tmp_path, f"{HEADER}\ndit\t\tbase\tiid\t\t{label}\n")
    assert (rows, problems) == ([{**READ, "label": label}], [])


def test_numbers_are_those_that_the_schema_asks_for(tmp_path):
    rows, problems = read(tmp_path, "dataset\tipc\tlambda\nx\t007\t-0\ny\t1\t.5e-3\n", NUMBERS)
    assert problems == []
    assert rows == [
        {"dataset": "x", "ipc": 7, "lambda": 0.0},
        {"dataset": "y", "ipc": 1, "lambda": 0.0005},
    ]
    assert str(rows[0]["lambda"]) == "0.0"  # it is part of a path


def test_of_many_mistakes_the_first_are_told(tmp_path):
    rows = "".join(f"X{number}\t\tbase\tiid\t\tX\n" for number in range(100))
    _, problems = read(tmp_path, f"{HEADER}\n{rows}")
    assert len(problems) == SHOWN + 1
    assert ", line 2: method: 'X0'" in problems[0]
    assert problems[-1].endswith(f"table.tsv: and {100 - SHOWN} mistakes more")


@given(
    st.one_of(
        st.binary(max_size=80),
        st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")),
        st.text("\t\n\r\"', ;x1.-_", max_size=80).map(lambda rows: f"{HEADER}\n{rows}".encode()),
    )
)
def test_whatever_a_file_holds_is_rows_or_mistakes(tmp_path_factory, data):
    rows, problems = read(tmp_path_factory.getbasetemp(), data)
    assert problems or all(check(row, METHODS, "row") == [] for row in rows)
    assert bool(rows) or bool(problems)
    assert all(line.isprintable() and "table.tsv" in line for line in problems)


@pytest.mark.parametrize("name", ["abc\n", "abc\nd", "\nabc", "abc "])
def test_a_pattern_is_of_the_whole_word(name):
    broken = {**SHIPPED, "study": name}
    assert any(line.startswith("config: study: ") for line in check(broken, SCHEMA, "config"))
