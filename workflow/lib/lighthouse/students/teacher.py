"""Teachers: the networks that give soft labels. Trained on the real images, or pretrained."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten

import torch
from torch import Tensor, nn

from lighthouse.datasets.labels import pretrained_labels
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import YOURS, reading
from lighthouse.runtime.files import read_about, read_pickle, read_tensors, write_tensors
from lighthouse.runtime.finite import check_read
from lighthouse.runtime.keeper import Keeper
from lighthouse.runtime.provenance import provenance
from lighthouse.students.networks import NETWORKS
from lighthouse.students.trainer import Images, train_student

SEED = 0


def train_teacher(
    train: Images,
    seen: Images,
    network: Mapping,
    protocol: Mapping,
    hard: Mapping,
    keeper: Keeper | None = None,
) -> tuple[nn.Module, float]:
    """Train the teacher of a soft ``protocol`` on real images by the ``hard`` one.

    Epochs are the teacher's own, the batch that of the largest IPC, and the colours those
    of ``protocol``, by which it will be asked. Returns the network after the last epoch
    (nothing is chosen) and its accuracy on ``seen``, a fraction.
    """
    n = len(train.labels)
    recipe = {
        **hard,
        **{key: protocol[key] for key in ("mean", "std")},
        "epochs": [[n, protocol["teacher"]["epochs"]]],
        "batch_size": [[n, hard["batch_size"][-1][1]]],
        "evaluations": 1,
    }
    trained, record = train_student(train, seen, network, recipe, n, SEED, keeper=keeper)
    return trained, record["curve"][-1][1]


def pretrained_teacher(
    network: Mapping, weights: str, classes: Sequence[str], size: int, of_imagenet: bool = False
) -> nn.Module:
    """A network with the weights in a file, torchvision's own among them.

    classes: the dataset's, in label order. of_imagenet: whether the weights are known to
    answer ImageNet's classes, so that 1000 classes must be those. Weights that answer
    ImageNet's 1000 classes are cut to those of the dataset, whose classes must then be named
    by their wnid; others must answer the dataset's classes in label order. Layers may have
    torchvision's names.
    Raises ``DataError`` where weights do not fit, or it answers what is no number.
    """
    state = _file_state(Path(weights))
    if "fc.weight" in state:
        state = {
            name.replace("fc.", "head.") if name.startswith("fc.") else f"features.{name}": tensor
            for name, tensor in state.items()
        }
    teacher = NETWORKS[network["network"]](network, size, len(classes))
    try:
        answered = len(state.get("head.weight", ()))
        if of_imagenet or answered == 1000 != len(classes):
            rows = _imagenet_rows(weights, classes)
            state |= {key: state[key][rows] for key in ("head.weight", "head.bias")}
        teacher.load_state_dict(state)
    except (RuntimeError, LookupError, TypeError) as error:
        names = ", ".join(f"{key} {value}" for key, value in network.items())
        raise DataError(
            f"{weights} does not hold weights of {names} for {size} px and {len(classes)} "
            f"classes: {shorten(str(error), 300)}"
        ) from None
    _check_kinds(weights, state, teacher)
    _check_answers(weights, teacher, size)
    return teacher


def _imagenet_rows(weights: str, classes: Sequence[str]) -> list[int]:
    """Which of ImageNet's 1000 answers are those of a dataset's classes."""
    try:
        return pretrained_labels(list(classes))
    except DataError as error:
        raise DataError(
            f"{weights} answers ImageNet's 1000 classes, and {shorten(str(error), 300)}; allowed: "
            f"weights that answer the dataset's {len(classes)} classes, in label order"
        ) from None


def _check_kinds(weights: str, state: Mapping[str, Tensor], teacher: nn.Module) -> None:
    """Raise ``DataError`` at whole numbers for a layer's floats, which torch would take."""
    for name, own in teacher.state_dict().items():
        if own.is_floating_point() and not state[name].is_floating_point():
            kind = str(state[name].dtype).removeprefix("torch.")
            raise DataError(f"{weights}: {name} holds {kind}; allowed are floats")


def _check_answers(weights: str, teacher: nn.Module, size: int) -> None:
    """Raise ``DataError`` where a network has weights, or gives answers, that are not finite.

    It is asked of images of a single grey each. An argmax of NaN is some class, and no error.
    """
    check_read(weights, teacher.state_dict())
    greys = torch.tensor([-1.0, 0.0, 1.0]).view(3, 1, 1, 1).expand(3, 3, size, size)
    with torch.no_grad():
        if not teacher.eval()(greys).isfinite().all():
            raise DataError(f"{weights}: its answers to grey images are not finite; {YOURS}")


def _file_state(path: Path) -> dict[str, Tensor]:
    """A flat dictionary of tensors, from safetensors or from torch's own format."""
    if path.suffix == ".safetensors":
        return read_tensors(path, YOURS)
    state = read_pickle(path, YOURS)
    if not all(isinstance(k, str) and isinstance(v, Tensor) for k, v in state.items()):
        raise DataError(f"{path} is not a state_dict: names of layers with their tensors")
    return state


def write_teacher(
    path: str | Path, teacher: nn.Module, network: Mapping, size: int, n_classes: int, **options
) -> None:
    """Write a teacher's weights, and what it takes to build it, as safetensors."""
    about = {"network": dict(network), "image_size": size, "n_classes": n_classes}
    write_tensors(path, teacher.state_dict(), {**about, **provenance(**options)})


def load_teacher(path: str | Path, device: object = "cpu") -> nn.Module:
    """What ``write_teacher`` wrote, ready to answer."""
    about = read_about(path)
    with reading(path):
        network = about["network"]
        teacher = NETWORKS[network["network"]](network, about["image_size"], about["n_classes"])
        teacher.load_state_dict(read_tensors(path))
    return teacher.to(device).eval().requires_grad_(False)
