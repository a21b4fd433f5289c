"""Which of a machine's NVIDIA devices a job works on.

A cluster hands each job its devices through ``CUDA_VISIBLE_DEVICES``. On one box
Snakemake only counts them (``--resources gpu=4``) and says to no job which are its own:
here a job takes free ones.
"""

import errno
import fcntl
import logging
import os
import re
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, MutableMapping, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path

from lighthouse.runtime.errors import DataError

log = logging.getLogger("lighthouse")

#: One file a device, locked by the job that works on it. Beside no study's results:
#: studies that run at the same time share the machine's devices. All jobs of a user must find it,
#: so that its name can be foreseen, in a folder that others may write to.
SLOTS = Path(tempfile.gettempdir()) / f"lighthouse-gpus-{os.getuid()}"

VARIABLE = "CUDA_VISIBLE_DEVICES"
#: A device's number, or the beginning of its UUID or of that of a part of it.
NAME = re.compile(r"\d+|(GPU|MIG)-[\w/-]+")
#: What stands in the variable where all devices are hidden.
NONE = ("-1", "NoDevFiles")


def take_devices(
    wanted: int, environment: MutableMapping[str, str] = os.environ, folder: Path = SLOTS
) -> None:
    """Let this process see ``wanted`` devices that no other job has, until it ends.

    Call before CUDA starts. Nothing changes where there is no choice: where no more
    devices than ``wanted`` are there, or where a scheduler or a user left no more.
    """
    devices = visible_devices(environment) if wanted else []
    if len(devices) > wanted:
        environment[VARIABLE] = ",".join(lock(wanted, devices, folder))
        log.info("works on %s", environment[VARIABLE])


def visible_devices(environment: MutableMapping[str, str]) -> list[str]:
    """Names of the devices, as ``CUDA_VISIBLE_DEVICES`` has them, or else the driver.

    Raises ``DataError`` where that names what is no device, at which CUDA would see those
    before it alone, and say nothing.
    """
    if VARIABLE in environment:
        return _named_in(environment[VARIABLE])
    try:
        # Not through torch: asking it may start CUDA, which then no longer looks at the variable.
        listed = subprocess.run(
            ["nvidia-smi", "-L"],  # noqa: S607 (wherever the driver's packages have put it)
            capture_output=True,
            text=True,
        ).stdout
    except FileNotFoundError:
        return []
    return re.findall(r"^GPU .*\(UUID: (\S+)\)", listed, re.MULTILINE)


def _named_in(text: str) -> list[str]:
    names = [name.strip() for name in text.split(",") if name.strip()]
    if names and names[0] in NONE:
        return []
    for name in names:
        if not NAME.fullmatch(name):
            raise DataError(
                f"{VARIABLE}: {name!r} names no device; allowed: numbers as 0, names as nvidia-smi "
                "-L has them (GPU-…, MIG-…), -1 alone for none"
            )
        if names.count(name) > 1:
            raise DataError(f"{VARIABLE}: {name!r} is named {names.count(name)} times")
    return names


def lock(
    wanted: int, devices: Sequence[str], folder: Path = SLOTS, poll_seconds: float = 1.0
) -> list[str]:
    """Take ``wanted`` of ``devices``, waiting until so many are free.

    The locks hold as long as this process, or the program that it becomes (``exec``);
    the kernel lets go of them however it ends. Processes choose one after the other, so
    that two which want several do not each keep what the other waits for. Raises
    ``ValueError`` where there are fewer than ``wanted``, and ``DataError`` where ``folder`` is not
    this user's own.
    """
    if wanted > len(devices):
        raise ValueError(f"{wanted} devices wanted of {len(devices)}")
    taken: list[str] = []
    with own_folder(folder) as open_slot, os.fdopen(open_slot("turn")) as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        waits = False
        while True:
            for device in devices:
                if len(taken) < wanted and device not in taken and _locked(open_slot, device):
                    taken.append(device)
            if len(taken) == wanted:
                return taken
            if not waits:
                log.info("waits for a free device (%s)", ", ".join(devices))
                waits = True
            time.sleep(poll_seconds)


@contextmanager
def own_folder(folder: Path) -> Iterator[Callable[[str], int]]:
    """What opens files by name in a folder that is this user's, and no other may write to.

    It is made where it is not there. Raises ``DataError`` where it is something else: another
    user may have put it there, or a link that leads to files of ours.
    """
    with suppress(FileExistsError):
        folder.mkdir(0o700)
    advice = "remove it, or have it removed by who made it (or set TMPDIR to a folder of your own)"
    try:
        opened = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        raise DataError(f"{folder}: is no folder, or a link ({error.strerror}); {advice}") from None
    try:
        state = os.fstat(opened)
        if state.st_uid != os.getuid():
            raise DataError(f"{folder}: belongs to another user (uid {state.st_uid}); {advice}")
        if state.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
            mode = stat.S_IMODE(state.st_mode)
            raise DataError(f"{folder}: others may write to it (mode {mode:o}); {advice}")
        yield partial(_opened, folder, opened)
    finally:
        os.close(opened)


def _opened(folder: Path, descriptor: int, name: str) -> int:
    """A file in a folder, made where it is not there, and no link. Not emptied."""
    try:
        return os.open(name, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600, dir_fd=descriptor)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise DataError(f"{folder / name}: is a link; remove it") from None


def _locked(open_slot: Callable[[str], int], device: str) -> bool:
    """Lock a device's file, left open on purpose; False where another process has it."""
    slot = open_slot(f"device-{device.replace('/', '_')}")
    try:
        fcntl.flock(slot, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(slot)
        return False
    os.set_inheritable(slot, True)
    return True
