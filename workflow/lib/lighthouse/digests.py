"""Digests of a run's tables and tensors, kept to be looked at on another machine.

    uv run python -m lighthouse.digests RESULTS --write FILE
    uv run python -m lighthouse.digests RESULTS --against FILE

The first writes them, with the machine and the versions that made them. The second tells on which
machine which agreed. That they do not is a finding and no failure: the exit status is 0.
"""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence

from lighthouse.results import Results, digests, read_results
from lighthouse.runtime.files import read_json, write_json


def kept(results: Results) -> dict:
    """What ``--write`` writes."""
    made = {"machines": results.machines, "versions": results.versions}
    return {"made": made, "digests": digests(results)}


def agreement(now: Mapping, then: Mapping) -> list[str]:
    """Lines that say what of two such records agrees, by stage, and on which machines."""
    both = now["digests"].keys() & then["digests"].keys()
    equal = {name for name in both if now["digests"][name] == then["digests"][name]}
    here, all_of = (Counter(name.partition("/")[0] for name in names) for names in (equal, both))
    lines = [f"kept: {_made(then)}", f"here: {_made(now)}"]
    lines += [f"{stage}: {here[stage]} of {n} equal" for stage, n in sorted(all_of.items())]
    lines += [f"  another: {name}" for name in sorted(both - equal) if name.startswith("tables/")]
    alone = len(now["digests"].keys() ^ then["digests"].keys())
    lines += [f"{alone} in one of the two alone"] if alone else []
    verdict = "agree to the byte" if len(equal) == len(both) and not alone else "differ"
    return [*lines, f"The two {verdict}."]


def _made(record: Mapping) -> str:
    machines = ", ".join(map(machine_in_words, record["made"]["machines"])) or "machine not told"
    versions = record["made"]["versions"]
    libraries = ", ".join(f"{name} {version}" for name, version in versions.items())
    return f"{machines}; {libraries or 'versions not told'}"


def machine_in_words(machine: Mapping) -> str:
    """``runtime.machine`` in one line."""
    words = [machine["processor"]]
    if machine["torch_vectors"]:
        words.append(f"torch with {machine['torch_vectors']}")
    words.append("portable" if machine["portable"] else "not portable")
    if machine["gpu"]:
        words.append(f"{machine['gpu']}, driver {machine['driver']}")
    return f"{words[0]} ({', '.join(words[1:])})"


def main(arguments: Sequence[str] | None = None) -> None:
    """The command."""
    parser = argparse.ArgumentParser("lighthouse.digests", description=__doc__.split("\n")[0])
    parser.add_argument("results", help="a folder of results")
    group = parser.add_mutually_exclusive_group(required=True)
    group.add_argument("--write", metavar="FILE", help="write the digests")
    group.add_argument("--against", metavar="FILE", help="compare with digests that were written")
    options = parser.parse_args(arguments)
    try:
        now = kept(read_results(options.results))
        then = read_json(options.against) if options.against else None
    except (OSError, ValueError) as error:
        parser.error(str(error))
    if then is None:
        write_json(options.write, now)
    else:
        print(*agreement(now, then), sep="\n")


if __name__ == "__main__":
    main()
