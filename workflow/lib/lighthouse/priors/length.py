"""How long a prior trains: so many steps, or until its loss on held-out latents no longer falls."""

import math
from collections.abc import Mapping

#: Peak rate of AdamW × width of a denoiser, where the rate is ``by-width``. Adam's best peak for
#: hidden weights is inversely proportional to a network's width (μP, Yang et al. 2022), which is
#: taken here for all weights (ours). The factor is that of 6e-3 at width 64 (docs/prior);
#: at width 256 it gives 1.5e-3, than which twice as much is about as good (docs/photographs).
RATE_TIMES_WIDTH = 0.384

#: What ended a training: its steps, which were given; a held-out loss that falls no more; or one of
#: the budgets.
REASONS = ("steps", "flat", "step budget", "minute budget")
STEPS, FLAT, STEP_BUDGET, MINUTE_BUDGET = REASONS


def peak_rate(options: Mapping, width: int) -> float:
    """The peak of the learning rate: a number, or by the width of the denoiser."""
    rate = options["learning_rate"]
    return RATE_TIMES_WIDTH / width if rate == "by-width" else rate


def n_steps(options: Mapping, n: int) -> int:
    """Steps of a training on ``n`` images: as given, or so many epochs."""
    if "steps" in options:
        return options["steps"]
    return options["epochs"] * math.ceil(n / options["batch_size"])


class Length:
    """The steps of one training: when its rate begins to fall, and which step is the last.

    With ``steps`` or ``epochs`` both are known before it. With ``stop`` they are found on the way:
    every ``every`` steps the held-out loss of the averaged weights is looked at. From the first of
    these on the rate falls:

    - ``flat``: none of the last ``patience`` losses was below the lowest one before them by more
      than the share ``least`` of it;
    - ``step budget``: so many steps that, with those in which the rate falls, ``steps`` are done;
    - ``minute budget``: so long that, with the time in which the rate falls, ``minutes`` are over.

    It falls for the share ``schedule.cooldown`` of the steps before, and then the training ends.
    Nothing is known beforehand of how many steps there are, so the rate stays where it is until
    then: the course of Zhai et al. (2022) and Hägele et al. (2024), whose end is about that of a
    cosine over the same steps.

    ``state_dict`` has the looks and what was decided, for a checkpoint.
    """

    def __init__(self, options: Mapping, n: int):
        self.rule: Mapping | None = options.get("stop")
        self.share: float = options["schedule"].get("cooldown", 0.0)
        self.warmup_steps: int = options["schedule"].get("warmup_steps", 1)
        self.looks: list[list[float]] = []
        self.ended_by: str | None = None
        self.end: int | None = None
        self.cooldown: int | None = None
        if self.rule is None:
            self.end = n_steps(options, n)
            self.cooldown = _before_cooldown(self.end, self.share)
            self.ended_by = STEPS

    def goes_on(self, done: int) -> bool:
        """Whether another step follows those done."""
        return self.end is None or done < self.end

    def is_due(self, done: int) -> bool:
        """Whether the held-out loss is to be looked at after so many steps."""
        return self.rule is not None and (done % self.rule["every"] == 0 or done == self.end)

    def look(self, done: int, loss: float | None, seconds: float) -> None:
        """Take in the held-out loss after ``done`` steps and ``seconds``; None of no latents."""
        if loss is not None:
            self.looks.append([done, loss])
        if self.end is not None:
            return
        self.ended_by = self._reason(done, seconds)
        if self.ended_by is not None:
            self.cooldown = done
            self.end = done + math.ceil(self.share * done)
            if self.ended_by == STEP_BUDGET:
                self.end = self.rule["steps"]

    def trapezoid(self, step: int) -> float:
        """Which share of its peak the rate has in a step, 0 the first.

        Up over ``schedule.warmup_steps``, level, and down where the training nears its end.
        """
        return min(1.0, (step + 1) / self.warmup_steps) * self._falling(step)

    def _falling(self, step: int) -> float:
        if self.cooldown is None or step < self.cooldown or self.share == 0:
            return 1.0
        return 1 - (step - self.cooldown) / max(1, self.end - self.cooldown)

    def state_dict(self) -> dict:
        """All that was found on the way."""
        return {key: getattr(self, key) for key in ("looks", "ended_by", "end", "cooldown")}

    def load_state_dict(self, state: Mapping) -> None:
        """Go on from ``state_dict``."""
        for key, value in state.items():
            setattr(self, key, value)

    def _reason(self, done: int, seconds: float) -> str | None:
        """Why the rate is to fall from here on; None where it is not."""
        rule, losses = self.rule, [loss for _, loss in self.looks]
        patience = rule["patience"]
        if patience is not None and len(losses) > patience:
            lowest = min(losses[:-patience])
            if min(losses[-patience:]) > (1 - rule["least"]) * lowest:
                return FLAT
        if rule["steps"] is not None and done + rule["every"] > _before_cooldown(
            rule["steps"], self.share
        ):
            return STEP_BUDGET
        if rule["minutes"] is not None and seconds * (1 + self.share) >= 60 * rule["minutes"]:
            return MINUTE_BUDGET
        return None


def _before_cooldown(steps: int, share: float) -> int:
    """Of so many steps in all those before the rate falls, which it does for a share of them."""
    return math.floor(steps / (1 + share))
