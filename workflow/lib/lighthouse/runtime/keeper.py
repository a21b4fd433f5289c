"""What a job has done of several trainings is kept as it goes: another process goes on there."""

import json
import math
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import torch

from lighthouse.runtime.cells import checkpoint_of, content_digest, made_from
from lighthouse.runtime.checkpoint import Pace, resume, save
from lighthouse.runtime.job import Job


class Keeper:
    """Results of pieces of work one behind the other, and the state of the piece at hand.

    Both lie in one checkpoint, ``path``, which is written at the ``Pace`` of
    ``seconds``: a job that is shorter writes none. ``key``: of all that the results depend
    on; what another one left is not taken. Without a path nothing is kept.

    ``done``: results of the pieces that are finished, in their order: numbers, texts, tensors
    and lists and dictionaries of them.
    """

    def __init__(self, path: str | Path | None = None, key: str = "", seconds: float = math.inf):
        self.path, self.key, self._pace = path and Path(path), key, Pace(seconds)
        step, found = self._resume({}, ())
        self.done, _, self._before = found or ([], None, 0.0)
        self._is_begun = step > 0
        self._began = time.monotonic()

    def spent(self) -> float:
        """Seconds since the work began, those of processes that were cut short among them."""
        return self._before + time.monotonic() - self._began

    def go_on(
        self, parts: Mapping[str, object], rngs: Sequence[torch.Generator]
    ) -> tuple[int, object]:
        """Load the state of the piece at hand; its step and what was noted, else 0 and None.

        parts: models, optimizers and schedules by name, rngs: generators, as ``note`` has them.
        """
        if not self._is_begun:
            return 0, None
        self._is_begun = False  # of the next piece this is not the state
        step, found = self._resume(parts, rngs)
        return step, found[1] if found else None  # of a state that does not fit: set aside

    def note(
        self,
        parts: Mapping[str, object],
        rngs: Sequence[torch.Generator],
        step: int,
        noted: object,
        look: Callable[[], None] = lambda: None,
    ) -> None:
        """Keep the state of the piece at hand behind ``step`` steps, where it is time to.

        noted: what is to be kept beside it. look: raises where the state is not worth keeping.
        """
        if self._pace.is_due():
            look()
            extra = [self.done, noted, self.spent()]
            with self._pace.saving():
                save(self.path, self.key, parts, _Generators(rngs), step, extra)

    def finish(self, results: Sequence[object]) -> None:
        """The piece at hand is finished, or several are at once: these are their results."""
        self.done = [*self.done, *results]
        self._is_begun = False
        self.note({}, (), 0, None)

    def _resume(self, parts: Mapping, rngs: Sequence[torch.Generator]) -> tuple[int, object]:
        if self.path is None:
            return 0, None
        return resume(self.path, self.key, parts, _Generators(rngs))


def keeper_of(job: Job, output: str, facts: object, read: Iterable[str]) -> Keeper:
    """That of a job with one result, which depends on ``facts``, as JSON has them, and on files."""
    made = made_from(job.params.code, json.dumps(facts), content_digest(read))
    return Keeper(checkpoint_of(output), made, job.params.checkpoint_seconds)


class _Generators:
    """Several generators as one."""

    def __init__(self, rngs: Sequence[torch.Generator]):
        self.rngs = rngs

    def get_state(self) -> list[torch.Tensor]:
        return [rng.get_state() for rng in self.rngs]

    def set_state(self, states: Sequence[torch.Tensor]) -> None:
        """Of fewer generators than there were states no more are set: of none, none."""
        for rng, state in zip(self.rngs, states, strict=False):
            rng.set_state(state)
