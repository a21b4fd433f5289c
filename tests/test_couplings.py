"""Couplings: who is denoised with whom."""

import pytest

from lighthouse.config.grid import PREFIX_COUPLINGS
from lighthouse.couplings import COUPLINGS, iid, joint, sequential

IPCS = [1, 2, 5, 10]


@pytest.mark.parametrize("ipc", IPCS)
@pytest.mark.parametrize("name", COUPLINGS)
def test_every_image_is_denoised_exactly_once(name, ipc):
    members = [i for stage in COUPLINGS[name](ipc) for group in stage.groups for i in group]
    assert sorted(members) == list(range(ipc))


@pytest.mark.parametrize("ipc", IPCS)
@pytest.mark.parametrize("name", COUPLINGS)
def test_the_groups_of_a_stage_are_of_one_size(name, ipc):
    assert all(len({len(group) for group in stage.groups}) == 1 for stage in COUPLINGS[name](ipc))


@pytest.mark.parametrize("name", COUPLINGS)
def test_only_finished_images_are_seen_as_finished(name):
    done = set()
    for stage in COUPLINGS[name](6):
        assert set(stage.finished) <= done
        done |= {i for group in stage.groups for i in group}


def test_under_iid_nobody_sees_anybody():
    (stage,) = iid(4)
    assert stage.groups == ((0,), (1,), (2,), (3,))
    assert stage.finished == ()


def test_under_sequential_an_image_sees_all_earlier_ones():
    assert [(s.groups, s.finished) for s in sequential(3)] == [
        (((0,),), ()),
        (((1,),), (0,)),
        (((2,),), (0, 1)),
    ]


def test_under_joint_all_are_one_group():
    (stage,) = joint(4)
    assert stage.groups == ((0, 1, 2, 3),)


def test_couplings_whose_sets_begin_alike_are_couplings():
    assert set(COUPLINGS) >= PREFIX_COUPLINGS
