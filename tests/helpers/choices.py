"""Records of students on sets of methods, of which one is to be recommended."""

CORESETS = {"random": "random", "herding": "herding", "k": "k-centre"}
#: The replicate of each set, by its seed.
THREE = {0: 0, 1: 1, 2: 2}
ALONE = {0: 0, 1: 0, 2: 0}


def row(method, ipc=5):
    names = {"dataset": "toy", "method": method, "ipc": ipc, "variant": "table"}
    about = {"label": method.upper(), "coreset": CORESETS.get(method)}
    return {**names, "student": "s", "protocol": "p", **about}


def record(test, val=None):
    """One student on each set: accuracies on the test part and on validation, in %."""
    val = val or [None] * len(test)
    return {
        "runs": [
            {
                "seed": seed,
                "student_seed": 0,
                "last": t / 100,
                "best": 1.0,
                "last_val": v and v / 100,
            }
            for seed, (t, v) in enumerate(zip(test, val, strict=True))
        ]
    }


#: Accuracies of the sets of each method, on the test part and on validation, in %.
SYNTHETIC_WINS = {
    "random": ([50, 52, 51], [51, 53, 52]),
    "herding": ([60, 61, 62], [61, 62, 63]),
    "dit": ([70, 72, 74], [70, 71, 75]),
}
