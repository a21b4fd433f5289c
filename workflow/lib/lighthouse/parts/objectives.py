"""Objectives of priors: one entry of ``OBJECTIVES`` declares all that is known of one."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lighthouse.parts.option import COUNT, WEIGHT, Option


@dataclass(frozen=True)
class Objective:
    """What a prior is trained for.

    name: in ``priors`` of the config. make: ``module:function``, which makes it of its options
    and the means of the classes' latents. options: by key of ``priors.<name>``,
    each of which it needs. from_table: options that may be ``table``, the hyperparameter
    table's column of that name. from_tuning: options that are those of every tuning of the
    dataset, where the prior says nothing else. of_others: whether it is other authors' than RSM and
    CGS.
    one_process: whether it keeps what several processes would each have for themselves.
    """

    name: str
    make: str
    options: Mapping[str, Option] = field(default_factory=dict)
    from_table: tuple[str, ...] = ()
    from_tuning: tuple[str, ...] = ()
    of_others: bool = False
    one_process: bool = False

    @property
    def tunes(self) -> bool:
        """Whether it is one of fine-tuning, at the hyperparameter table's learning rate."""
        return self.name != "plain"


OBJECTIVES: dict[str, Objective] = {
    objective.name: objective
    for objective in (
        Objective("plain", "lighthouse.priors.objectives:make_plain"),
        Objective(
            "rsm",
            "lighthouse.priors.objectives:make_rsm",
            options={
                "lambda": Option(
                    WEIGHT,
                    "Weight of RSM's L1 term; `table` takes it by dataset and IPC, and 0 is plain "
                    "fine-tuning (rsm).",
                    symbol="λ",
                    label="λ of RSM",
                )
            },
            from_table=("lambda",),
            from_tuning=("l1_weighting", "l1_centre"),
        ),
        Objective(
            "minimax",
            "lighthouse.priors.minimax:make_minimax",
            options={
                "positive": Option(
                    WEIGHT, "MiniMax's weight of nearness to real latents (minimax)."
                ),
                "negative": Option(
                    WEIGHT, "MiniMax's weight of distance from its own predictions (minimax)."
                ),
                "memory": Option(
                    COUNT,
                    "Latents of a class that each of MiniMax's two memories holds (minimax).",
                ),
            },
            of_others=True,
            one_process=True,  # its memories
        ),
    )
}
