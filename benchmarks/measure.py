"""What the commands share: clocks, memory, the shipped config, tables that grow as one measures."""

import csv
import statistics
import time
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

import torch
import yaml

from benchmarks import ROOT


@cache
def shipped() -> dict:
    """The shipped config. Commands take from it whatever they do not vary."""
    return yaml.safe_load((ROOT / "config" / "config.yaml").read_text(encoding="utf-8"))


def synchronise() -> None:
    """Wait for the accelerator, if there is one, to finish what it was given."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


def seconds(call: Callable[[], object], repeats: int) -> float:
    """Median wall-clock seconds of a call over ``repeats``, after one that warms up."""
    times = []
    for repeat in range(repeats + 1):
        synchronise()
        started = time.perf_counter()
        call()
        synchronise()
        if repeat:
            times.append(time.perf_counter() - started)
    return statistics.median(times)


def start_peak() -> None:
    """Begin to look for the accelerator's peak anew."""
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()


def device_peak() -> float | None:
    """Peak memory in GiB of the accelerator since ``start_peak``; None without one."""
    return torch.cuda.max_memory_allocated() / 2**30 if torch.cuda.is_available() else None


class Table:
    """A CSV that grows by a row at a time, so that what was measured stays at any end."""

    def __init__(self, folder: Path | None, name: str, columns: Sequence[str]):
        """``folder``: where ``name``.csv is begun anew; None for printing alone."""
        self.columns = tuple(columns)
        self.path = folder / f"{name}.csv" if folder else None
        print(f"\n{name}: {', '.join(self.columns)}", flush=True)
        if self.path:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._write(self.columns, "w")

    def add(self, **row: object) -> None:
        """Print a row and put it behind the others. Floats have four digits; None is empty."""
        if set(row) != set(self.columns):
            raise ValueError(f"columns {sorted(row)}, not {sorted(self.columns)}")
        cells = [_text(row[column]) for column in self.columns]
        print("  ".join(cell or "-" for cell in cells), flush=True)
        if self.path:
            self._write(cells, "a")

    def _write(self, cells: Sequence[str], mode: str) -> None:
        with self.path.open(mode, encoding="utf-8", newline="") as file:
            csv.writer(file).writerow(cells)


def _text(value: object) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)
