"""What a study inherits of the default's follows the methods and IPCs that it runs.

A study that runs fewer methods than the default need not write its sections anew: lists of methods
that it leaves as the default has them are cut to what it computes, and a section that is the
default's word for word is left out where its methods or its IPC are not there. What a study says
itself stays, and is checked as it stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lighthouse.config.claims import ALONG, SIDES
from lighthouse.config.study import Study
from lighthouse.parts.measures import MEASURES, Reach


def following(study: Study, default: Mapping) -> Study:
    """A study whose inherited sections follow what it runs; ``left_out`` says what they lost.

    default: the config that the study's files were laid over. The study's names need not be known.
    """
    own = _Run(study.run, default["run"])
    own.prior_check(study.config["protocols"])
    if not (own.is_inherited("methods") and own.is_inherited("ipc")):
        own.follow()
    own.claims()
    return replace(study, config={**study.config, "run": own.run}, left_out=tuple(own.lines))


@dataclass
class _Run:
    """``run`` of a study, changed part by part, beside the default's."""

    run: Mapping
    default: Mapping
    lines: list[str] = field(default_factory=list)

    def is_inherited(self, key: str, part: str | None = None) -> bool:
        """Whether a section, or a part of it, is the default's word for word."""
        given, shipped = self.run[key], self.default[key]
        if part is None:
            return given == shipped
        return bool(given) and bool(shipped) and given[part] == shipped[part]

    def give(self, key: str, value: object) -> None:
        """Give a section another value."""
        self.run = {**self.run, key: value}

    def leave_out(self, key: str, why: str) -> None:
        """Leave a section of the default's out."""
        self.give(key, None)
        self.lines.append(f"run.{key}: left out; the default's {why}")

    def shorten(self, key: str, value: object, lost: Iterable[str]) -> None:
        """Give a section a shorter list, and say what it lost."""
        names = list(dict.fromkeys(lost))
        if names:
            self.give(key, value)
            self.lines.append(f"run.{key}: the default's without {', '.join(names)}")

    def follow(self) -> None:
        """Cut each part that is inherited to the study's methods and IPCs."""
        self.only()
        self.base()
        self.ablation()
        self.whole("sweep", ("method",))
        self.whole("strategies", ("joint", "sequential", "iid"))
        self.beside()
        self.spectrum()

    def prior_check(self, protocols: Mapping) -> None:
        """The images of the check of priors: no more a class than its protocol knows."""
        judges = self.run["tuning"] or {"protocol": self.run["protocols"][0]}
        if not self.is_inherited("prior_check", "ipc") or judges["protocol"] not in protocols:
            return
        given, protocol = self.run["prior_check"], protocols[judges["protocol"]]
        last = min(protocol[key][-1][0] for key in ("epochs", "batch_size"))
        if last < given["ipc"]:
            self.give("prior_check", {**given, "ipc": last})
            self.lines.append(
                f"run.prior_check.ipc: {last}, the last that protocol {judges['protocol']} has, in "
                f"the place of {given['ipc']}"
            )

    def computes(self, method: str, ipc: int) -> bool:
        """Whether a method is one of the study's at an IPC."""
        limits = (entry["ipc"] for entry in self.run["only"] if method in entry["methods"])
        there = method in self.run["methods"] and ipc in self.run["ipc"]
        return there and all(ipc in limit for limit in limits)

    def only(self) -> None:
        """Limits of methods and IPCs that are there."""
        if self.is_inherited("only"):
            own = [
                {key: [v for v in entry[key] if v in self.run[key]] for key in ("methods", "ipc")}
                for entry in self.run["only"]
            ]
            self.give("only", [entry for entry in own if entry["methods"] and entry["ipc"]])

    def base(self) -> None:
        """The row that all are compared with: of a study without it, its first."""
        compared, first = self.run["comparisons"], self.run["methods"][0]
        if self.is_inherited("comparisons", "base") and compared["base"] not in self.run["methods"]:
            self.give("comparisons", {**compared, "base": first})
            self.lines.append(
                f"run.comparisons.base: {first}, the first of run.methods, in the place of "
                f"{compared['base']}"
            )

    def ablation(self) -> None:
        """Its rows that the study runs, where it lacks one that the default's study does.

        Other rows are there for the ablation alone.
        """
        given = self.run["ablation"]
        if not self.is_inherited("ablation", "methods"):
            return
        own = [name for name in given["methods"] if name in self.run["methods"]]
        lost = [name for name in given["methods"] if name not in own]
        if self.is_inherited("ablation") and given["ipc"] not in self.run["ipc"]:
            self.leave_out("ablation", f"is of IPC {given['ipc']}")
        elif set(lost) & set(self.default["methods"]):
            if len(own) > 1:
                self.shorten("ablation", {**given, "methods": own}, lost)
            else:
                self.leave_out("ablation", "has fewer than two methods of this study")

    def whole(self, key: str, names: Sequence[str]) -> None:
        """A section that goes where one of its methods is not computed at its IPC."""
        given = self.run[key]
        if given and self.is_inherited(key):
            lost = [given[n] for n in names if not self.computes(given[n], given["ipc"])]
            if lost:
                self.leave_out(key, f"is of {', '.join(lost)} at IPC {given['ipc']}")

    def beside(self) -> None:
        """The methods beside the strategies."""
        given = self.run["strategies"]
        if self.is_inherited("strategies", "beside"):
            lost = [name for name in given["beside"] if not self.computes(name, given["ipc"])]
            own = [name for name in given["beside"] if name not in lost]
            self.shorten("strategies", {**given, "beside": own}, lost)

    def spectrum(self) -> None:
        """The curves that are there, at the default's IPC, or else at the study's largest."""
        given = self.run["spectrum"]
        if self.is_inherited("spectrum", "ipc") and given["ipc"] not in self.run["ipc"]:
            given = {**given, "ipc": max(self.run["ipc"])}
            self.give("spectrum", given)
        if self.is_inherited("spectrum", "curves") and given["ipc"] in self.run["ipc"]:
            own = [c for c in given["curves"] if self.computes(c["method"], given["ipc"])]
            lost = [curve["method"] for curve in given["curves"] if curve not in own]
            if own:
                self.shorten("spectrum", {**given, "curves": own}, lost)
            else:
                self.leave_out("spectrum", f"is of {', '.join(lost)}")

    def claims(self) -> None:
        """The claims of what is computed."""
        if self.run["claims"] and self.is_inherited("claims"):
            own = [claim for claim in self.run["claims"] if self.can_decide(claim)]
            lost = [claim["name"] for claim in self.run["claims"] if claim not in own]
            if own:
                self.shorten("claims", own, lost)
            else:
                self.leave_out("claims", "are of other methods or IPCs")

    def can_decide(self, claim: Mapping) -> bool:
        """Whether the study computes what a claim of the default's is about."""
        if ALONG in claim:
            sweep = self.run["sweep"]
            return bool(sweep and sweep["method"] == claim["of"] and sweep["values"][claim[ALONG]])
        ipc, sides = claim["ipc"], [claim[side] for side in SIDES]
        ablation = self.run["ablation"] or {"methods": (), "ipc": None}
        of_ablation = ablation["methods"] if ipc == ablation["ipc"] else ()
        if MEASURES[claim["measure"]].reach is Reach.CURVES:
            spectrum = self.run["spectrum"] or {"curves": (), "ipc": None}
            curves = [curve["method"] for curve in spectrum["curves"]]
            return ipc == spectrum["ipc"] and set(sides) <= set(curves)
        return all(self.computes(side, ipc) or side in of_ablation for side in sides)
