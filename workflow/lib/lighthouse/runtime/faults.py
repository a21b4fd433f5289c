"""What is said of files that cannot be written or read: one line, with what to do."""

import errno
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten

from lighthouse.runtime.errors import DataError, StorageError

#: What to do about a file that cannot be read, by who made it.
OURS = "remove it, and the same command makes it anew"
YOURS = "get it again"
#: Of a file that may be one of several of a result.
PART = "remove it, or the folder that it is part of, and the same command makes it anew"

#: Errors of an accelerator, by their names in torch, which is not imported here: what was read is
#: as good as before.
OF_THE_DEVICE = frozenset({"OutOfMemoryError", "AcceleratorError"})
#: What is said of a pipe or a device.
ENDLESS = "no file that can be read to its end"

_GOES_ON = "and the same command goes on"
_ALLOW = "let this user read and write there, or name another place (--directory)"
_A_FILE = f"a file stands where a folder is needed; move it away, {_GOES_ON}"
A_FILE_IN_THE_WAY = (errno.ENOTDIR, errno.EEXIST)
#: What is wrong and what to do, by the system's number of an error.
WORDS = {
    errno.ENOSPC: f"the disk is full; make room, {_GOES_ON}",
    errno.EDQUOT: f"the quota of the disk is used up; make room, {_GOES_ON}",
    errno.EFBIG: f"larger than a file may be here; raise the limit (ulimit -f), {_GOES_ON}",
    errno.EROFS: "the disk can only be read; mount it for writing, or name another place "
    "(--directory)",
    errno.EACCES: f"permission denied; {_ALLOW}",
    errno.EPERM: f"not permitted; {_ALLOW}",
    errno.EIO: "the disk fails (input/output error); look at the disk, or take another",
    errno.ENOTDIR: _A_FILE,
    errno.EEXIST: _A_FILE,
    errno.EISDIR: f"a folder stands where a file is needed; move it away, {_GOES_ON}",
    errno.ENAMETOOLONG: "the name is too long for this disk; take a shorter one",
    errno.ELOOP: "a link that leads back to itself; remove it",
}


def in_words(error: BaseException, path: str | Path = "") -> str | None:
    """What the system says no to, in a line with the file's name; None of another error.

    path: the file in question, where the error names none. An error of a library counts that
    names the system's number, or arose from one that has it.
    """
    found: BaseException | None = error
    while found is not None:
        rust = re.search(r"\(os error (\d+)\)", str(found))  # as safetensors puts it
        number = int(rust[1]) if rust else getattr(found, "errno", None)
        place = getattr(found, "filename", None) or path
        if number in WORDS and place:
            if number in A_FILE_IN_THE_WAY:
                above = (Path(place), *Path(place).parents)
                place = next((path for path in above if path.is_file()), place)
            return f"{place}: {WORDS[number]}"
        found = found.__cause__ or found.__context__
    return None


def barred(place: str | Path) -> str | None:
    """Why nothing can be written to a folder, there or to be made, in a line; None where it can.

    Writes nothing. Whether there is room enough, nobody knows before.
    """
    place = Path(place).absolute()
    there = next(path for path in (place, *place.parents) if path.exists())
    if there.is_dir() and os.access(there, os.W_OK | os.X_OK):
        room = shutil.disk_usage(there).free
        number = 0 if room else errno.ENOSPC
    elif there.is_dir():
        of_disk = os.statvfs(there).f_flag & os.ST_RDONLY
        number = errno.EROFS if of_disk else errno.EACCES
    else:
        number = errno.ENOTDIR
    return in_words(OSError(number, ""), there)


def unseen(error: OSError) -> str:
    """The line about a place of a user's that the system lets nobody look at."""
    return f"{error.filename}: cannot be read ({error.strerror})"


@contextmanager
def writing(path: str | Path, beside: str | Path = "") -> Iterator[None]:
    """Within it, a disk that takes no file raises ``StorageError`` with the file's name.

    beside: the name that the file has until it is whole.
    """
    try:
        yield
    except Exception as error:  # of whatever library writes
        words = None if type(error) is DataError else in_words(error, path)
        if words is None:
            raise
        told = words.replace(str(beside), str(path)) if beside else words
        raise StorageError(told) from error


def endless(path: str | Path) -> bool:
    """Whether a path leads to a pipe or a device, which reading may never come to the end of."""
    path = Path(path)
    return path.exists() and not (path.is_file() or path.is_dir())


@contextmanager
def reading(path: str | Path, advice: str = OURS) -> Iterator[None]:
    """Within it, a file that cannot be read raises ``DataError`` with its name and ``advice``.

    A folder in the place of a file of ours is in the way; one that a user named is another name.
    That memory does not do, or an accelerator fails, is no fault of the file, and stays what it is.
    """
    try:
        if endless(path):
            raise ValueError(ENDLESS)
        if advice == YOURS and Path(path).is_dir():
            raise DataError(a_folder(path))
        yield
    except (DataError, MemoryError):
        raise
    except FileNotFoundError:
        raise DataError(f"{path} is not there") from None
    except Exception as error:  # torn and foreign files raise errors of many kinds
        if type(error).__name__ in OF_THE_DEVICE:
            raise
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        said = in_words(error, path) or unreadable(path, reason, advice)
        raise DataError(said) from error


def a_folder(path: str | Path) -> str:
    """What is said of a folder that a user named where a file is needed."""
    return f"{path} is a folder; name a file"


def remove(folder: str | Path) -> str:
    """What to do about a file in a folder that is one result of ours."""
    return f"remove {folder}, and the same command makes it anew"


def unreadable(path: str | Path, reason: str, advice: str = OURS) -> str:
    """The line about a file that cannot be read."""
    return f"{path} cannot be read ({shorten(reason, 160)}); {advice}"


class Read(dict):
    """What a file holds, by name. A name that it lacks raises ``DataError`` with the file's."""

    def __init__(self, path: str | Path, advice: str, held: object):
        if not isinstance(held, dict):
            raise DataError(unreadable(path, f"it holds a {type(held).__name__}", advice))
        super().__init__(held)
        self.lacks = f"{path} has no {{}}; {advice}"

    def __missing__(self, name: object) -> object:
        raise DataError(self.lacks.format(name))
