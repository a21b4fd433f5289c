"""Students at the edge: one image, images of one colour, every augmentation."""

import pytest
import torch

from lighthouse.students.augment import augment, cutmix
from lighthouse.students.trainer import Images, train_student
from toy_students import EVERYTHING, NETWORK, OFF, PROTOCOL, bars


def plain(n, value):
    """Images of one colour, and of one class."""
    return Images(torch.full((n, 3, 16, 16), value, dtype=torch.uint8), torch.zeros(n).long())


@pytest.mark.parametrize("value", [0, 255])
@pytest.mark.parametrize("n", [1, 5])
def test_every_augmentation_leaves_a_plain_image_plain(n, value):
    protocol = {**PROTOCOL, "augment": OFF | EVERYTHING}
    made = augment(plain(n, value).images, protocol, [torch.Generator().manual_seed(0)])
    assert made.isfinite().all()
    torch.testing.assert_close(made, made[:, :, :1, :1].expand_as(made), rtol=0, atol=1e-5)


def test_one_image_is_mixed_with_itself():
    images = torch.rand(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    mixed, partner, shares = cutmix(images, [torch.Generator().manual_seed(1)])
    assert torch.equal(mixed, images)
    assert partner.tolist() == [0]
    assert shares.sum().item() == pytest.approx(1)


@pytest.mark.parametrize("n", [1, 3])
def test_a_student_of_plain_images_of_one_class_is_trained(n):
    """Of one class the loss is 0, and of one image a norm sees no variance between images."""
    protocol = {**PROTOCOL, "epochs": [[1, 2]], "evaluations": 1, "augment": OFF | EVERYTHING}
    network, record = train_student(plain(n, 0), bars(6, 0), NETWORK, protocol, 1, 0)
    assert all(weight.isfinite().all() for weight in network.parameters())
    assert record["curve"] == [(2, 1 / 3)]  # everything is called class 0
