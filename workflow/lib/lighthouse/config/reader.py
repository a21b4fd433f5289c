"""Study files, read more strictly than YAML reads them.

Snakemake has read a study's files before anything here runs: of a key that stands twice the last
has won by then, ``010`` has become 8, a tag has been obeyed. So the same files are read again, and
what no study can mean is told with its line. Nothing in a file is evaluated here.
"""

import json
import os
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import yaml
from yaml import CSafeLoader, MappingNode, Node, ScalarNode

from lighthouse.config.plain import DIGITS, LEVELS, VALUES, mistakes
from lighthouse.config.schema import ConfigError, shortened

#: Most bytes of a file; the largest that is shipped has 20 kB.
BYTES = 1_000_000
#: The key by which a file has Snakemake run the Python in it.
YTE = "__use_yte__"
#: A variable of the environment: 1 where that is wanted.
ALLOW_YTE = "LIGHTHOUSE_ALLOW_YTE"
#: Whole numbers in one spelling alone, and others without YAML's underscores and sexagesimals.
PLAIN = {"int": r"[-+]?(0|[1-9]\d*)", "float": r"[-+]?(\d+\.\d*|\.\d+)([eE][-+]\d+)?"}
#: What YAML takes a key for that is no word.
NO_WORD = {
    "int": "a number",
    "float": "a number",
    "bool": "true or false",
    "null": "nothing",
    "timestamp": "a date",
}


def read_studies(paths: Iterable[Path]) -> dict:
    """The keys of several study files, each laid over those before it, as Snakemake lays them.

    Raises ``ConfigError`` with every mistake in any of them, each with its file and line.
    """
    config: dict = {}
    problems: list[str] = []
    for path in paths:
        given, found = read_study(path)
        problems += found
        config = laid_over(config, given)
    if problems:
        raise ConfigError(problems)
    return config


def check_files(paths: Iterable[Path]) -> None:
    """Raise ``ConfigError`` with what is wrong with files that Snakemake has read.

    Python in them has run by then, which ``LIGHTHOUSE_ALLOW_YTE=1`` allows.
    """
    problems = [line for path in paths for line in read_study(path)[1]]
    if os.environ.get(ALLOW_YTE) == "1":
        problems = [line for line in problems if YTE not in line]
    if problems:
        raise ConfigError(problems)


def check_words(words: Iterable[str]) -> None:
    """Raise ``ConfigError`` where of Snakemake's words, two lists of study files, one is lost."""
    given = [word for word in words if re.fullmatch(r"--configfiles?(=.*)?", word)]
    if len(given) > 1:
        raise ConfigError(
            [
                f"--configfile: stands {len(given)} times, and Snakemake takes the last alone; "
                "allowed: once, with several files behind it and `--` between these and targets: "
                "`--configfile a.yaml b.yaml -- TARGET`"
            ]
        )


def laid_over(config: object, more: Mapping) -> dict:
    """A config with another's keys: mappings merge, all else is replaced."""
    made = dict(config) if isinstance(config, Mapping) else {}
    for key, value in more.items():
        made[key] = laid_over(made.get(key), value) if isinstance(value, Mapping) else value
    return made


def read_study(path: Path) -> tuple[dict, list[str]]:
    """The keys of a study file, and a line for each mistake in it, with which they are {}."""
    try:
        data, found = _read(Path(path))
    except _Wrong as error:
        return {}, [shortened(f"{path}{error}")]
    found = list(dict.fromkeys(shortened(f"{path}{line}") for line in found))
    return ({}, found) if found else (data, [])


class _Wrong(Exception):
    """What makes a file none that can be read, in words that follow its name."""


def _read(path: Path) -> tuple[dict, list[str]]:
    text = _text(path)
    try:
        data, found = _of_json(text)
    except ValueError:  # no JSON, and so YAML, as for Snakemake
        data, found = _of_yaml(text)
    if not isinstance(data, dict) and not found:
        raise _Wrong(": has no keys at the top; a study is a mapping, as `study: my`")
    return data, found or [f": {line}" for line in mistakes(data)]


def _text(path: Path) -> str:
    if not path.is_file():
        raise _Wrong(": is not there" if not path.exists() else ": is no file")
    try:
        with path.open("rb") as file:
            raw = file.read(BYTES + 1)
        text = raw.decode("utf-8")
    except OSError as error:
        raise _Wrong(f": cannot be read ({error.strerror})") from None
    except UnicodeDecodeError as error:
        if len(raw) <= BYTES:
            raise _Wrong(f": byte {error.start} is no UTF-8; save the file as UTF-8") from None
    if len(raw) > BYTES:
        raise _Wrong(f": has more than {BYTES:,} bytes, as no study has")
    if not text.strip("\ufeff \t\r\n"):
        raise _Wrong(": is empty; a study has keys, as `study: my`")
    return text


def _of_json(text: str) -> tuple[object, list[str]]:
    """Raises ``ValueError`` where it is no JSON."""
    twice: list[str] = []

    def mapping(pairs: Sequence[tuple[str, object]]) -> dict:
        counts = Counter(name for name, _ in pairs)
        twice.extend(name for name, count in counts.items() if count > 1)
        return dict(pairs)

    try:
        data = json.loads(text, object_pairs_hook=mapping)
    except RecursionError:
        raise _Wrong(_TOO_DEEP) from None
    return data, [f": key {name!r} stands twice in one mapping; allowed: once" for name in twice]


_TOO_DEEP = f": holds more than {LEVELS} levels of lists and mappings, as no study does"
_TOO_MANY = f": holds more than {VALUES:,} values, aliases written out, as no study does"


def _of_yaml(text: str) -> tuple[object, list[str]]:
    try:
        found = list(_of_events(text))
        if found:
            return None, found
        loader = CSafeLoader(text)
        node = loader.get_single_node()
        if node is None:
            raise _Wrong(": is empty; a study has keys, as `study: my`")
        found = _Walk().all(node)
        if found:
            return None, found
        data = loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        raise _Wrong(_syntax(error, text)) from None
    except yaml.reader.ReaderError as error:
        line = text.encode()[: error.position].count(b"\n") + 1
        raise _Wrong(f", line {line}: is no YAML ({error.reason})") from None
    if isinstance(data, dict) and data.pop(YTE, False):
        return None, [
            f": has {YTE!r}, by which Snakemake runs the Python in the file as it reads it, before "
            "anything here can look at it: where this is told by a run, that has happened. Write "
            f"the values themselves; where you trust the file, say {ALLOW_YTE}=1 in the environment"
        ]
    return data, []


def _syntax(error: yaml.MarkedYAMLError, text: str) -> str:
    words = " ".join(filter(None, (error.context, error.problem)))
    line = [*text.split("\n"), ""][error.problem_mark.line]
    hint = "; indent with blanks, not with tabs" if line.lstrip(" ").startswith("\t") else ""
    return f"{_at(error.problem_mark)}: is no YAML ({words}){hint}"


def _at(mark: yaml.Mark) -> str:
    return f", line {mark.line + 1}"


def _of_events(text: str) -> Iterable[str]:
    """What is told before nodes are made: tags, a second study, a depth that C code dies of."""
    depth = documents = nodes = 0
    for event in yaml.parse(text, Loader=CSafeLoader):
        where = _at(event.start_mark)
        nodes += isinstance(event, yaml.NodeEvent)
        documents += isinstance(event, yaml.DocumentStartEvent)
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if documents > 1:
            yield (
                f"{where}: a second document begins; allowed: one a file (several files are laid "
                "over one another)"
            )
            return
        if depth > LEVELS or nodes > 2 * VALUES:  # keys are nodes, too
            yield _TOO_DEEP if depth > LEVELS else _TOO_MANY
            return
        if tag := getattr(event, "tag", None):
            tag = tag.replace("tag:yaml.org,2002:", "!!")
            yield f"{where}: tag {tag}; allowed: none, values say by themselves what they are"


class _Walk:
    """All nodes of a document, each as often as aliases repeat it."""

    def __init__(self):
        self.count = 0

    def all(self, node: Node) -> list[str]:
        found = list(dict.fromkeys(self._of(node, ())))
        if self.count > VALUES:
            return [_TOO_MANY]
        return found

    def _of(self, node: Node, within: tuple[Node, ...]) -> Iterable[str]:
        self.count += 1
        if self.count > VALUES:
            return
        where = _at(node.start_mark)
        if any(node is other for other in within):
            yield f"{where}: an alias in it leads back to itself; write out what is meant"
        elif len(within) > LEVELS:
            yield _TOO_DEEP
        elif isinstance(node, ScalarNode):
            yield from (f"{where}: {line}" for line in _of_scalar(node))
        elif isinstance(node, MappingNode):
            yield from _of_keys([key for key, _ in node.value])
            for _, value in node.value:
                yield from self._of(value, (*within, node))
        else:
            for value in node.value:
                yield from self._of(value, (*within, node))


def _of_keys(keys: Sequence[Node]) -> Iterable[str]:
    lines: dict[str, int] = {}
    for key in keys:
        where, kind = _at(key.start_mark), _kind(key)
        if not isinstance(key, ScalarNode):
            yield f"{where}: a key that is a list or a mapping; allowed: words"
            continue
        if kind in NO_WORD:
            yield (
                f"{where}: key {key.value!r} is {NO_WORD[kind]} to YAML; allowed: words (one in "
                "quotes is one)"
            )
        elif key.value in lines:
            yield (
                f"{where}: key {key.value!r} stands twice, in line {lines[key.value]} too; "
                "allowed: once"
            )
        lines.setdefault(key.value, key.start_mark.line + 1)


def _of_scalar(node: ScalarNode) -> Iterable[str]:
    kind, text = _kind(node), node.value
    if kind == "timestamp":
        yield f"{text} is a date to YAML; allowed: words and numbers (in quotes it is a word)"
    if kind not in PLAIN or re.fullmatch(PLAIN[kind], text):
        return
    if sum(map(str.isalnum, text)) > DIGITS:
        yield f"a number of {len(text)} characters; allowed: up to {DIGITS} digits"
    elif re.fullmatch(r"[-+]?\.(inf|nan)", text, re.IGNORECASE):
        yield f"{text} is not a finite number"
    else:
        try:
            yield f"{text} is {yaml.load(text, CSafeLoader)} to YAML; write that, or quote a word"
        except ValueError:
            yield f"{text} is a number without digits to YAML; quote a word"


def _kind(node: Node) -> str:
    return node.tag.rpartition(":")[2]
