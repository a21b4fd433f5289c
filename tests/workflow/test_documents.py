"""What the documents say of the code, where words alone would drift away from it."""

import ast
import copy
import csv
import re
from functools import cache

import pytest

from lighthouse.config.key_tables import Keys
from lighthouse.config.load import load_study
from lighthouse.report.items import items
from lighthouse.report.significance import CORRECTED
from repository import ROOT
from shipped import DEFAULT, SCHEMA

LIBRARY = ROOT / "workflow" / "lib" / "lighthouse"
MODULES = {path: path.read_text("utf-8") for path in sorted(LIBRARY.rglob("*.py"))}
DOCUMENTS = {
    path: path.read_text("utf-8")
    for path in (*ROOT.glob("*.md"), *ROOT.glob("config/*.md"), *ROOT.rglob("docs/**/*.md"))
}
CAPTIONS = {path.stem: path.read_text("utf-8") for path in ROOT.glob("workflow/report/*.rst")}


def short(path):
    return path.relative_to(ROOT).as_posix()


@pytest.fixture(params=DOCUMENTS, ids=short)
def document(request):
    return request.param


def words(text):
    """What stands in backticks, blocks of code left out."""
    return re.findall(r"`([^`\n]+)`", re.sub(r"^```.*?^```", "", text, flags=re.M | re.S))


@cache
def defined(path):
    """The names at a module's top level."""
    names = set()
    for node in ast.parse(MODULES[path]).body:
        targets = getattr(node, "targets", [getattr(node, "target", node)])
        names |= {getattr(target, "id", getattr(target, "name", None)) for target in targets}
    return names


# Files and names.

#: Folders of the repository as a checkout has it: what a study makes or reads lies elsewhere.
SHIPPED_FOLDERS = ("config", "docs", "envs", "profiles", "tests", "workflow", ".ci")
#: What a reader of the documents makes: the module of CONTRIBUTING's example, a study.
EXAMPLES = ("guidance/nearest.py", "flowers.yaml", "publish.py")
FILE = r"[\w.-]+(?:/[\w.-]+)+|[\w.-]+\.(?:py|md|yaml|tsv|csv|png)"


def candidates(name, document):
    """Where a file that a document names may lie."""
    places = (document.parent, ROOT, ROOT / "config", ROOT / "workflow" / "schemas", LIBRARY)
    return [place / name for place in places]


def named_files(document):
    """Files of the repository that a document names, in backticks, with a name in them if any."""
    for word in words(DOCUMENTS[document]):
        match = re.fullmatch(rf"({FILE})(?:: (\w+))?", word)
        if match and is_shipped(match[1], document):
            yield match[1], match[2]


def is_shipped(name, document):
    """Whether a file is one of the repository; a table without its folder is a study's."""
    first, *rest = name.split("/")
    if rest:
        return first in SHIPPED_FOLDERS or (LIBRARY / first).is_dir()
    return name.endswith((".py", ".yaml", ".tsv")) or document.parent.parent == ROOT / "docs"


def test_every_file_that_a_document_names_is_there(document):
    absent = [
        name
        for name, _ in named_files(document)
        if name not in EXAMPLES and not any(place.exists() for place in candidates(name, document))
    ]
    assert absent == []


def test_every_link_of_a_document_leads_to_a_file(document):
    links = re.findall(r"\]\(([^)#\s]+)(?:#[\w-]+)?\)", DOCUMENTS[document])
    local = [link for link in links if "://" not in link]
    assert [link for link in local if not (document.parent / link).exists()] == []


def anchors(path):
    """What a link may name of a page: its headings, as GitHub makes anchors of them."""
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^ *#+ +(.+?) *$", text, flags=re.M)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_to_a_part_of_a_document_leads_to_a_heading(document):
    links = re.findall(r"\]\(([^)#\s]*)#([\w-]+)\)", DOCUMENTS[document])
    local = [
        (document.parent / page if page else document, a) for page, a in links if "://" not in page
    ]
    assert [(page.name, a) for page, a in local if a not in anchors(page)] == []


def test_every_name_that_a_document_puts_in_a_module_is_there(document):
    text = DOCUMENTS[document]
    placed = [(file, name) for file, name in named_files(document) if name]
    # `TERMS` (`parts/terms.py`)
    placed += [(file, name) for name, file in re.findall(r"`(\w+)` \(`([\w/]+\.py)`\)", text)]
    for file, name in placed:
        (module,) = (place for place in candidates(file, document) if place in MODULES)
        assert name in defined(module), f"{file} has no {name}"


#: Keys of the config, some of which begin as a room does: whole places, and ends of such.
CONFIG_KEYS = "|".join(
    re.escape(place).replace("<name>", r"\w+") for place, _ in Keys(SCHEMA).leaves()
)
ENDS_OF_KEYS = {"parts.train", "parts.val", "parts.test"}


def test_every_dotted_name_of_a_document_is_one_of_the_package(document):
    rooms = {path.name for path in LIBRARY.iterdir() if path.is_dir()}
    named = [*words(DOCUMENTS[document]), *re.findall(r"-m ([\w.]+)", DOCUMENTS[document])]
    for word in named:
        if not re.fullmatch(r"\w+(\.\w+)+", word) or word.endswith((".csv", ".json", ".yaml")):
            continue
        first, *parts = word.removeprefix("lighthouse.").split(".")
        is_key = re.fullmatch(CONFIG_KEYS, word) or word in ENDS_OF_KEYS
        if (first in rooms and not is_key) or word.startswith("lighthouse."):
            place = LIBRARY.joinpath(first, *parts)
            modules = (place.parent.with_suffix(".py"), place.parent / "__init__.py")
            names = set().union(*(defined(module) for module in modules if module in MODULES))
            assert place.with_suffix(".py") in MODULES or place.name in names, word


def test_every_registry_that_contributing_names_is_in_the_package():
    everything = set().union(*map(defined, MODULES))
    named = {w for w in words(DOCUMENTS[ROOT / "CONTRIBUTING.md"]) if re.fullmatch("[A-Z_]{4,}", w)}
    assert len(named) > 5
    assert named <= everything


# The README, which is short: its numbers are those of the runs that it speaks of.

README = DOCUMENTS[ROOT / "README.md"]
#: Lines that fit on a screen and a half.
MOST_LINES = 120
EVIDENCE = ROOT / "docs" / "evidence"


def test_the_readme_is_short():
    assert len(README.splitlines()) <= MOST_LINES


def table_rows(text):
    """Rows of a leaderboard by the name of the method, bold or not."""
    rows = re.findall(r"^\| ([^|]+) \| (\d.*|\*.*) \|$", text, flags=re.M)
    return {name: fields.replace("**", "") for name, fields in rows}


@pytest.mark.parametrize("page", ["README.md", "docs/findings.md"])
def test_a_leaderboard_of_a_page_is_that_of_the_evidence_study(page):
    made = table_rows((EVIDENCE / "avx512" / "leaderboard.md").read_text("utf-8"))
    shown = table_rows(
        DOCUMENTS[ROOT / page]
        .split("| Method | IPC 1 | IPC 5 | IPC 10 |", 1)[1]
        .split("\n\n", 1)[0]
    )
    assert len(shown) > 5
    assert shown == {name: made.get(name) for name in shown}


def test_the_readme_says_how_many_claims_hold():
    for run in ("evidence/avx512", "evidence/avx2", "photographs/nette32"):
        with (ROOT / "docs" / run / "claims.csv").open(encoding="utf-8", newline="") as file:
            verdicts = [row["verdict"] for row in csv.DictReader(file)]
        holds, n = verdicts.count("holds"), len(verdicts)
        others = verdicts.count("does not hold"), verdicts.count("undecided")
        text = " ".join(README.split())
        digits = f"of {n} claims {holds} hold and {others[0]} do not"
        photographs = f"{holds} of {n} claims holds and {others[1]} are undecided"
        assert (digits if run.startswith("evidence") else photographs) in text


# Tables.


def test_the_documents_name_what_holm_corrects_together():
    for text in (DOCUMENTS[ROOT / "config" / "README.md"], CAPTIONS["significance"]):
        assert family(text) == set(CORRECTED)
    # Which is of one IPC.
    assert family(CAPTIONS["ablation"]) == set(CORRECTED) - {"ipc"}


def family(text):
    """The columns of which a text says that p is corrected over comparisons of one of each."""
    (listed,) = re.findall(
        r"corrected\b[^.;]*? comparisons\s+of\s+one\s+((?:\w+,\s+)+\w+\s+and\s+\w+)", text
    )
    return set(re.split(r",\s+|\s+and\s+", listed.lower()))


def stems(text):
    """Names of results below ``tables`` and ``figures`` without suffixes, in a text's order."""
    return [re.sub(r"\.[\w{},]+$", "", name) for name in re.findall(r"`([^`]+)`", text)]


def test_the_page_of_results_lists_every_table_and_figure_that_the_rules_make_and_no_other():
    study = load_study(copy.deepcopy(DEFAULT), ROOT)
    made = {path.removeprefix("results/") for item in items(study) for path in item.paths}
    text = DOCUMENTS[ROOT / "docs" / "results.md"]
    table = text.split("## Tables, figures and sets", 1)[1].split("\n\n", 2)[1]
    listed = set()
    for cell in re.findall(r"^\| (`(?:tables|figures)/.*?) \|", table, flags=re.M):
        first, *others = stems(cell)
        folder = first.split("/")[0]
        listed |= {first, *(name if "/" in name else f"{folder}/{name}" for name in others)}
    made = {path for path in made if "/" in path}  # the study's record is listed apart
    expected = {re.sub(r"\.\w+$", "", path).replace("/digits", "/<dataset>") for path in made}
    assert listed == expected


#: The modules that write a table's columns, by the caption of its page.
COLUMNS_OF = {
    "ablation": [
        *("report/ablation.py", "report/significance.py"),
        *("config/rows.py", "parts/terms.py"),
    ],
    "accuracy": ["report/accuracy.py", "tables.py", "config/grid.py"],
    "cost": ["report/cost.py"],
    "diversity": [
        "metrics/diversity.py",
        "metrics/copying.py",
        "metrics/setutility.py",
        "report/measures.py",
        "tables.py",
    ],
    "fid": ["metrics/frechet.py", "report/measures.py"],
    "guidance": ["report/guidance.py", "tables.py", "parts/terms.py"],
    "tuning": ["report/tuning.py", "tables.py", "config/candidates.py"],
    "claims": ["report/claims.py"],
    "recommendation": ["report/recommendation.py", "report/statistics.py"],
    "sensitivity": ["report/curves.py"],
    "significance": ["report/significance.py", "report/statistics.py"],
}


@pytest.mark.parametrize("table", COLUMNS_OF)
def test_a_caption_speaks_of_columns_that_its_table_has(table):
    source = "".join(MODULES[LIBRARY / name] for name in COLUMNS_OF[table])
    named = re.findall(r"``(\w+)``", CAPTIONS[table])
    # A column is a word in quotes, or a field of a named tuple.
    there = {name for name in named if f'"{name}"' in source or f"\n    {name}:" in source}
    assert set(named) - there - derived(source) == set()


def derived(source):
    """Columns whose names are put together: ``f"{name}_per_image"``."""
    ends = re.findall(r'f"\{\w+\}(_\w+)"', source)
    stems = re.findall(r'"(\w+)"', source)
    return {f"{stem}{end}" for stem in stems for end in ends}


def test_the_readme_of_the_config_names_the_columns_of_the_published_figures():
    text = DOCUMENTS[ROOT / "config" / "README.md"]
    section = text.split("## `published.tsv`", 1)[1].split("\n## ", 1)[0].split(".", 1)[0]
    with (ROOT / "config" / "published.tsv").open(encoding="utf-8", newline="") as file:
        columns = next(csv.reader(file, delimiter="\t"))
    assert re.findall("`(\\w+)`", section) == columns
