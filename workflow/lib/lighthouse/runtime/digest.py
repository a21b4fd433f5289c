"""A digest of the code behind a rule, so that editing what its script reaches reruns it.

Snakemake follows a script, not the modules that it imports. A rule passes
``code=code_digest(script, library)`` as a parameter.

The digest is taken over syntax trees, without docstrings, comments, layout and the annotations
of signatures. All of a script counts. Of the package those statements count that it reaches,
name by name: a function that it imports, and the functions, classes and constants which that
one names, in whichever module they are. What else a module does when it is loaded (a call, a
``with``, an assignment to what is not a name) counts with every module that is loaded.

Names are followed as they are written. A module that is used as a value (``getattr(module,
name)``) counts whole; what is imported by a name put together at run time, the rule says
(``extra``). So a definition must have no effect but its name, and nothing may be computed from
a docstring.
"""

import ast
import hashlib
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

PACKAGE = "lighthouse"
#: Fields of a node that change nothing of what is computed.
IGNORED = frozenset({"ctx", "kind", "type_comment"})
DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
NAMES = (ast.Name, ast.Attribute)
ASSIGNMENTS = (ast.Assign, ast.AnnAssign)
#: A dotted name, part by part.
Name = tuple[str, ...]


def code_digest(script: str | Path, library: str | Path, extra: Sequence[str] = ()) -> str:
    """Return a digest of ``script`` and of what it reaches of the package, 16 hex digits.

    library: the folder that holds the package. extra: what the script imports by name,
    ``package.module:attribute``. Imports inside functions count.
    Raises ``LookupError`` where the package has no such attribute.
    """
    reach = _Reach(Path(library), Path(script))
    for name in extra:
        module, _, attribute = name.partition(":")
        reach.take(tuple(module.split(".")), attribute)
    return reach.digest()


class _Import(NamedTuple):
    """An import's name, the module or name that it loads, and what the name stands for.

    That is ``name`` in ``module``, or without a name the module.
    """

    bound: str
    loads: Name
    module: Name
    name: Name = ()


class _Statement:
    """A statement at the top of a module.

    tree: a digest of it. names: the dotted names in it. annotations: names in those that are
    left out. imports: those in it, at any depth. binds: the names that it may bind in its
    module, imports aside.
    """

    def __init__(self, node: ast.stmt):
        self.names: set[Name] = set()
        self.annotations: set[str] = set()
        self.imports: set[_Import] = set()
        self.binds: set[str] = set()
        self.tree = hashlib.sha256(repr(self._tuples(node)).encode()).digest()
        if isinstance(node, DEFINITIONS):
            self.binds = {node.name}
        elif isinstance(node, ASSIGNMENTS):
            self.binds = {name for target in _targets(node) for name in _names(target)}

    def _tuples(self, node: object) -> object:
        """A node as nested tuples. What it names, imports and binds is noted on the way."""
        if isinstance(node, list):
            return [self._tuples(one) for one in node]
        if not isinstance(node, ast.AST):
            return node
        if isinstance(node, NAMES) and (name := _dotted(node)):
            self.names.add(name)
            if len(name) == 1 and isinstance(node.ctx, ast.Store):
                self.binds.add(node.id)
            return name
        fields = {name: getattr(node, name) for name in node._fields if name not in IGNORED}
        if isinstance(node, ast.arg):
            self._leave_out(fields.pop("annotation"))
        elif isinstance(node, DEFINITIONS):
            self.binds.add(node.name)
            self._leave_out(fields.pop("returns", None))
            fields["body"] = [one for one in node.body if not _is_text(one)]
        elif isinstance(node, ast.Import):
            for alias in node.names:
                path = tuple(alias.name.split("."))
                bound = alias.asname or path[0]
                self.imports.add(_Import(bound, path, path if alias.asname else path[:1]))
        elif isinstance(node, ast.ImportFrom):
            path = tuple(node.module.split("."))
            for alias in node.names:
                bound, name = alias.asname or alias.name, (alias.name,)
                self.imports.add(_Import(bound, path + name, path, name))
        return (type(node).__name__, *map(self._tuples, fields.values()))

    def _leave_out(self, annotation: ast.expr | None) -> None:
        self.annotations |= _names(annotation) if annotation else set()


class _Module:
    """A source: its statements, and by which statement or import each of its names is bound.

    effects: the statements that count wherever the module is loaded.
    """

    def __init__(self, source: bytes):
        body = [node for node in ast.parse(source).body if not _is_idle(node)]
        self.statements = [_Statement(node) for node in body]
        self.bound: defaultdict[str, set[int]] = defaultdict(set)
        self.imported: defaultdict[str, set[_Import]] = defaultdict(set)
        for index, (node, statement) in enumerate(zip(body, self.statements, strict=True)):
            for name in statement.binds:
                self.bound[name].add(index)
            if not isinstance(node, DEFINITIONS):
                for one in statement.imports:
                    self.imported[one.bound].add(one)
        used = {"TYPE_CHECKING", *(name[0] for one in self.statements for name in one.names)}
        used |= {name for one in self.statements for name in one.annotations}
        self.effects = {i for i, node in enumerate(body) if self._acts(node, i, used)}

    def knows(self, name: str) -> bool:
        return name in self.bound or name in self.imported

    def _acts(self, node: ast.stmt, index: int, used: set[str]) -> bool:
        if isinstance(node, ast.Import | ast.ImportFrom):
            # What nobody uses is imported for what it does then.
            imports = self.statements[index].imports
            return any(one.bound not in used and not _is_own(one) for one in imports)
        if isinstance(node, DEFINITIONS):
            # A decorator of the package's may enter the function in a table.
            own = {name for name, ones in self.imported.items() if any(map(_is_own, ones))}
            return any(_names(one) & (own | self.bound.keys()) for one in node.decorator_list)
        return not (isinstance(node, ASSIGNMENTS) and all(map(_is_name, _targets(node))))


class _Reach:
    """What of a package is reached from a script, which is the module without a name."""

    def __init__(self, library: Path, script: Path):
        self._library = library
        self._modules: dict[Name, _Module | None] = {(): _parsed(script.read_bytes())}
        self._loaded: set[Name] = set()
        self._followed: set[tuple[Name, Name]] = set()
        self._counted: set[tuple[Name, int]] = set()
        self._pending: list[tuple[Name, int]] = []
        self._outside: set[tuple[Name, _Import]] = set()
        self._follow((), ())

    def take(self, module: Name, name: str) -> None:
        """Reach a name of a module."""
        found = self._module(module)
        if found is None or not found.knows(name):
            raise LookupError(f"{'.'.join(module)} has no {name!r}")
        self._load(module)
        self._follow(module, (name,))

    def digest(self) -> str:
        """Of all that is reached, module by module, in the order of its statements."""
        while self._pending:
            path, index = self._pending.pop()
            module = self._modules[path]
            statement = module.statements[index]
            for one in statement.imports:
                self._load(one.loads)
            for name in statement.names:
                if module.knows(name[0]):
                    self._follow(path, name)
                for one in statement.imports:
                    if one.bound == name[0]:
                        self._follow_import(path, one, name[1:])
        sha = hashlib.sha256()
        for path, index in sorted(self._counted):
            sha.update(".".join(path).encode() + self._modules[path].statements[index].tree)
        sha.update(repr(sorted(self._outside)).encode())
        return sha.hexdigest()[:16]

    def _module(self, path: Name) -> _Module | None:
        if path not in self._modules:
            stem = self._library.joinpath(*path)
            files = (stem / "__init__.py", stem.with_suffix(".py"))
            found = next((file for file in files if file.is_file()), None)
            self._modules[path] = _parsed(found.read_bytes()) if found else None
        return self._modules[path]

    def _load(self, path: Name) -> None:
        """Count what a module of the package, and the packages above it, do when loaded."""
        for depth in range(1, len(path) + 1 if path[0] == PACKAGE else 0):
            here = path[:depth]
            if here not in self._loaded and (module := self._module(here)):
                self._loaded.add(here)
                self._count(here, module.effects)
                for one in set().union(*module.imported.values()):
                    self._load(one.loads)

    def _follow(self, path: Name, name: Name) -> None:
        """Count what binds a name in a module; the whole module where it cannot be told."""
        if (path, name) in self._followed:
            return
        self._followed.add((path, name))
        module = self._module(path)
        if name and module.knows(name[0]):
            self._count(path, module.bound.get(name[0], ()))
            for one in module.imported.get(name[0], ()):
                self._follow_import(path, one, name[1:])
        elif name and self._module((*path, name[0])):
            self._follow((*path, name[0]), name[1:])
        elif not (name and name[0].startswith("__")):  # such as __file__
            self._count(path, range(len(module.statements)))

    def _follow_import(self, path: Name, one: _Import, rest: Name) -> None:
        if _is_own(one):
            self._follow(one.module, one.name + rest)
        else:
            self._outside.add((path, one))

    def _count(self, path: Name, indices: Iterable[int]) -> None:
        new = {(path, index) for index in indices} - self._counted
        self._counted |= new
        self._pending += new


@cache
def _parsed(source: bytes) -> _Module:
    """A module by its source. Every rule asks for the same ones."""
    return _Module(source)


def _is_own(one: _Import) -> bool:
    return one.module[0] == PACKAGE


def _is_idle(node: ast.stmt) -> bool:
    """A text that stands alone, or what only type checkers read."""
    return _is_text(node) or (
        isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )


def _is_text(node: ast.stmt) -> bool:
    value = getattr(node, "value", None) if isinstance(node, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _targets(node: ast.Assign | ast.AnnAssign) -> list[ast.expr]:
    return node.targets if isinstance(node, ast.Assign) else [node.target]


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _is_name(node: ast.AST) -> bool:
    """Whether an assignment to this binds names, and changes nothing that has one."""
    if isinstance(node, ast.Tuple | ast.List):
        return all(map(_is_name, node.elts))
    return isinstance(node, ast.Name)


def _dotted(node: ast.AST) -> Name | None:
    """The parts of a dotted name; None of what is computed before a dot."""
    if isinstance(node, ast.Attribute):
        before = _dotted(node.value)
        return before and (*before, node.attr)
    return (node.id,) if isinstance(node, ast.Name) else None
