"""How minutes are divided, and what is told where they are too few."""

from dataclasses import replace

import pytest

from lighthouse.config.paths import REPOSITORY
from lighthouse.proposal.draft import Machine, draft
from lighthouse.proposal.estimate import (
    AUTOENCODER,
    PRIOR,
    WAITING,
    Speeds,
    behind,
    estimate,
    share_of,
)
from lighthouse.proposal.plan import plan
from lighthouse.proposal.study_file import DATASET, Lengths, study_of, text_of
from surveys import CPU, GPU, SPEEDS, asked, survey


def invented(fixed=300.0, autoencoder=0.1, prior=0.1, ceilings=0.0, per_ipc=0.0):
    """Seconds by stage, in proportion to the lengths, as a function of draft and lengths."""

    def stages_of(of, lengths):
        rows = of.ceiling + of.reconstructed + of.students - 1
        stages = {
            AUTOENCODER: (lengths.autoencoder or 0) * autoencoder,
            PRIOR: lengths.prior * prior,
            "the rest": fixed + rows * ceilings + sum(of.ipc) * per_ipc,
        }
        longest = (stages[AUTOENCODER] + stages[PRIOR]) / share_of(of.threads, of.cores, of.gpu)
        return stages | {WAITING: max(0.0, longest - sum(stages.values()))}

    return stages_of


def planned(stages_of, counts=(2000, 2000), machine=CPU, **given):
    wish = asked(**given)
    return plan(draft(wish, survey(*counts), machine), wish, stages_of)


@pytest.mark.parametrize("minutes", [15, 30, 45])
def test_a_plan_takes_about_the_minutes_and_no_more(minutes):
    made = planned(invented(), minutes=minutes)
    assert 0.85 * 60 * minutes < sum(made.stages.values()) <= 60 * minutes
    assert made.stages[AUTOENCODER] < made.stages[PRIOR]


def test_more_minutes_are_more_steps_up_to_a_limit():
    steps = [planned(invented(), minutes=m).lengths for m in (10, 20, 40, 4000, 8000)]
    assert [s.prior for s in steps] == sorted(s.prior for s in steps)
    assert steps[-1] == steps[-2]


def test_few_images_are_not_seen_for_ever():
    made = planned(invented(), counts=(100, 100), minutes=600)
    # 136 of them are learned from, in batches of 64: 2.1 steps a pass.
    assert made.lengths.prior == 2100
    assert any("sees each image about 988 times" in note for note in made.notes)
    assert not [note for note in made.notes if "too few minutes" in note]


def test_too_few_minutes_are_told_with_how_many_would_do():
    made = planned(invented(), minutes=3)
    (line,) = [note for note in made.notes if "too few minutes" in note]
    wanted = int(line.split("--minutes ")[1].split(",")[0])
    assert wanted > 3
    assert not [n for n in planned(invented(), minutes=wanted).notes if "too few minutes" in n]


def test_minutes_below_the_least_are_told():
    told = "2 minutes are below the least of such a study; a smaller --size or --ipc takes less"
    assert told in planned(invented(), minutes=2).notes
    assert told.replace("2 ", "20 ", 1) not in planned(invented(), minutes=20).notes


def test_what_does_not_fit_is_left_out_in_order_and_told():
    made = planned(invented(fixed=0, ceilings=400, per_ipc=10))
    assert (made.draft.reconstructed, made.draft.students, made.draft.ceiling) == (False, 2, True)
    assert made.draft.ipc == (1, 5, 10)
    made = planned(invented(fixed=0, ceilings=600, per_ipc=100))
    assert (made.draft.reconstructed, made.draft.students, made.draft.ceiling) == (False, 1, False)
    assert made.draft.ipc == (1, 5)
    assert sum("it would not fit into 30 minutes" in note for note in made.notes) == 4


def test_ipcs_that_were_asked_for_stay():
    assert planned(invented(per_ipc=1000), ipc=[1, 5, 10]).draft.ipc == (1, 5, 10)


def test_a_pretrained_autoencoder_has_no_steps():
    made = planned(invented(), machine=GPU, preset="pretrained")
    assert made.lengths.autoencoder is None


@pytest.fixture
def study_for(tmp_path):
    """A function that makes the study of a plan on an invented folder of given parts."""

    def made(preset="small", counts=(40, 40), machine=CPU, lengths=None, **given):
        for part in ("train", "test"):
            for label, count in enumerate(counts):
                folder = tmp_path / "root" / {"test": "val"}.get(part, part) / f"class{label}"
                folder.mkdir(parents=True, exist_ok=True)
                for number in range(count):
                    (folder / f"{number}.png").touch()
        wish = asked(images=tmp_path / "root", preset=preset, **given)
        of = draft(wish, survey(*counts, layout="parts"), machine)
        has_steps = preset != "pretrained"
        text = text_of(of, lengths or Lengths(1200 if has_steps else None, 3000), "Of a test.")
        return of, text, study_of(text, tmp_path)

    return made


@pytest.mark.parametrize(
    ("preset", "machine"),
    [("small", CPU), ("medium", CPU), ("medium", GPU), ("large", GPU), ("pretrained", GPU)],
)
def test_the_file_is_short_and_a_study_in_order(study_for, preset, machine):
    of, text, study = study_for(preset, machine=machine)
    assert len(text.splitlines()) <= 15
    assert sum(line.startswith("#") for line in text.splitlines()) <= 3
    options = study.dataset(DATASET)
    assert study.config["preset"] == preset
    assert study.folder == REPOSITORY / "runs" / "mine"
    assert options["root"] == str(of.root)
    assert options["base"]["stop"]["steps"] == 3000
    assert options["image_size"] == of.size
    assert tuple(study.run["ipc"]) == of.ipc
    graphs = of.gpu and preset != "pretrained"
    assert study.config["compute"]["launch"] == ("graphs" if graphs else "plain")
    assert study.config["compute"]["cells_per_job"] == (30 if of.gpu else 3)


def test_one_core_has_no_more_jobs_than_it_needs(study_for):
    assert study_for(machine=Machine(1, False))[2].config["compute"]["cells_per_job"] == 30


def test_the_longest_file_is_short_too(study_for):
    of, _, _ = study_for()
    shares = {"test_share": 0.2, "val_share": 0.15}
    of = replace(of, ceiling=False, reconstructed=False, students=1, shares=shares)
    assert len(text_of(of, Lengths(300, 500), "Of a test.").splitlines()) <= 15


@pytest.mark.parametrize("ipc", [[1], [3], [1, 2], [7, 20]])
def test_any_ipcs_are_a_study(study_for, ipc):
    _, _, study = study_for(counts=(60, 60), ipc=ipc)
    assert study.run["ipc"] == ipc
    assert study.run["spectrum"]["ipc"] in ipc


def test_a_short_prior_is_looked_at_and_warms_up_within_its_steps(study_for):
    _, _, study = study_for(lengths=Lengths(300, 500))
    base = study.dataset(DATASET)["base"]
    assert base["stop"]["every"] == 25
    assert base["schedule"]["warmup_steps"] == 25


def test_the_name_of_a_folder_may_be_anything_that_a_path_is(study_for, tmp_path):
    of, _, _ = study_for()
    odd = tmp_path / 'my "birds": #1, 100 % – ü'
    (tmp_path / "root").rename(odd)
    text = text_of(replace(of, root=odd), Lengths(300, 500), "Of a test.")
    assert study_of(text, tmp_path).dataset(DATASET)["root"] == str(odd)


# The estimate.


def test_an_estimate_follows_lengths_speeds_and_grid(study_for):
    images = {"train": 68, "val": 12, "test": 80}

    def stages(speeds=SPEEDS, cores=2, gpu=False, **given):
        return estimate(study_for(**given)[2], images, speeds, cores, gpu)

    plain = stages()
    assert all(seconds > 0 for seconds in plain.values())
    # One thread of two cores, of which eight tenths work.
    assert plain[AUTOENCODER] == pytest.approx(1200 * 0.1 / 1.6)
    assert stages(lengths=Lengths(2400, 6000))[PRIOR] == pytest.approx(2 * plain[PRIOR])
    assert stages(replace(SPEEDS, student_image=2e-4))["students"] > 1.4 * plain["students"]
    assert stages(replace(SPEEDS, sampler_step=2e-3))["sampling"] > 1.5 * plain["sampling"]
    assert stages(ipc=[1, 5])["sampling"] < plain["sampling"]
    assert stages(cores=4)["students"] < plain["students"]
    # Nothing else is left to do while the prior trains.
    longest = (plain[AUTOENCODER] + plain[PRIOR]) * 1.6 + behind(plain)
    assert sum(plain.values()) == pytest.approx(longest)
    assert WAITING in plain and WAITING not in stages(lengths=Lengths(10, 500))


def test_the_images_that_are_sampled_are_counted(study_for):
    study = study_for(ipc=[2])[2]
    zero = dict.fromkeys(vars(SPEEDS), 0.0)
    speeds = Speeds(**{**zero, "decode": 1.0})
    found = estimate(study, {"train": 68, "val": 12, "test": 80}, speeds, 1, False)
    # Two classes: dit, cgs-tuned, support-none and two more of support points, three sets of 2;
    # three scales and thrice three weights by one set of 2.
    assert found["sampling"] == 2 * 2 * (5 * 3 + 3 + 3 * 3)
