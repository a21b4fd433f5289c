"""Every table and figure of a study: what makes it, of what, and where it goes.

The Snakefile reads this at each start: a maker is named here, and imported by ``making`` alone.
"""

import hashlib
from pathlib import Path

from lighthouse.config import paths, rows
from lighthouse.config.study import Study
from lighthouse.report.figure_items import figures
from lighthouse.report.item import Item
from lighthouse.report.table_items import tables

TEMPLATES = Path(__file__).parent / "templates"


def template_digest() -> str:
    """A digest of all templates, which no import leads to."""
    sha = hashlib.sha256()
    for path in sorted(TEMPLATES.iterdir()):
        sha.update(path.name.encode() + path.read_bytes())
    return sha.hexdigest()[:16]


def items(study: Study) -> list[Item]:
    """The items of a study, tables first, as the report lists them."""
    return [_record(study), *tables(study), *figures(study)]


def _record(study: Study) -> Item:
    return Item(
        "study_record",
        "lighthouse.runtime.provenance:study_record",
        {},
        {"record": [f"{paths.RESULTS}/study.json"]},
        rows.study_options(study),
    )
