"""Teachers: the networks that give soft labels. Trained on the real images, or pretrained."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from textwrap import shorten

from torch import Tensor, nn

from lighthouse.datasets.labels import pretrained_labels
from lighthouse.runtime.errors import DataError
from lighthouse.runtime.faults import YOURS, reading
from lighthouse.runtime.files import read_about, read_pickle, read_tensors, write_tensors
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
    Raises ``DataError`` where weights do not fit.
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
            rows = pretrained_labels(list(classes))
            state |= {key: state[key][rows] for key in ("head.weight", "head.bias")}
        teacher.load_state_dict(state)
    except (RuntimeError, LookupError, TypeError) as error:
        names = ", ".join(f"{key} {value}" for key, value in network.items())
        raise DataError(
            f"{weights} does not hold weights of {names} for {size} px and {len(classes)} "
            f"classes: {shorten(str(error), 300)}"
        ) from None
    return teacher


def _file_state(path: Path) -> dict[str, Tensor]:
    """A flat dictionary of tensors, from safetensors or from torch's own format."""
    if path.suffix == ".safetensors":
        return read_tensors(path, YOURS)
    state = read_pickle(path, YOURS)
    if not all(isinstance(tensor, Tensor) for tensor in state.values()):
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
