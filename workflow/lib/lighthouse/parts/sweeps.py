"""What can be swept of a method: every number that its parts have."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from lighthouse.parts.objectives import OBJECTIVES
from lighthouse.parts.option import RATE, Option
from lighthouse.parts.terms import named
from lighthouse.steps import TRAIN_STEPS

#: Of the sampler; its other options say how work is divided.
SAMPLER = {
    "steps": Option(
        {"type": "integer", "minimum": 2, "maximum": 1000},
        "Respaced steps.",
        symbol="steps",
        label="sampling steps",
    ),
    "guidance_scale": Option(
        {"type": "number", "minimum": 1, "maximum": 100},
        "Scale of classifier-free guidance; 1 is none. Or several that rise, of which one is "
        "chosen on the validation part.",
        symbol="scale",
        label="scale of classifier-free guidance",
        chosen=True,
    ),
    "start_step": Option(
        {"type": "integer", "minimum": 1, "maximum": TRAIN_STEPS},
        "Of methods with a `start`: its images are noised to the first of the respaced steps t "
        "below this one, and denoised from there. 600 where the key is left out.",
        600,
        symbol="t₀",
        label="step at which a set starts",
    ),
}
#: Where the config leaves one out.
SAMPLER_DEFAULTS = {k: option.default for k, option in SAMPLER.items() if option.default}
LEARNING_RATE = Option(RATE, "Rate of the fine-tuning.", symbol="lr", label="learning rate")


class Swept(NamedTuple):
    """A number that a sweep can vary.

    range: the JSON schema of its values. symbol: beside a value; label: of an axis.
    """

    range: Mapping
    symbol: str
    label: str


def sweepable(terms: Iterable[str], objective: str, starts: bool = False) -> dict[str, Swept]:
    """The numbers of a method's parts, by the name that a sweep gives them.

    terms: the method's guidance. objective: that of its prior. starts: whether it starts at images.
    ``lambda``, ``learning_rate`` and the weights of terms go by their columns of the
    hyperparameter table, options by ``term.option``, ``objective.option`` and ``sampler.option``.
    """
    found: dict[str, Option] = {}
    if OBJECTIVES[objective].tunes:
        about = OBJECTIVES[objective]
        for key, option in about.options.items():
            found[key if key in about.from_table else f"{objective}.{key}"] = option
        found["learning_rate"] = LEARNING_RATE
    for term in named(terms):
        found[term.column] = term.weight
        found |= {f"{term.name}.{key}": option for key, option in term.options.items()}
    of_sampler = [key for key in SAMPLER if starts or key != "start_step"]
    found |= {f"sampler.{key}": SAMPLER[key] for key in of_sampler}
    return {name: _swept(name, option) for name, option in found.items() if option.is_number}


def _swept(name: str, option: Option) -> Swept:
    symbol = option.symbol or name
    return Swept(option.range, symbol, option.label or symbol)
