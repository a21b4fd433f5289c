"""What networks make of sampled images, for selections to choose by."""

from pathlib import Path

from lighthouse.metrics.features import load_extractor
from lighthouse.selection.pool import Look
from lighthouse.students.classifier import load_classifier


def features_by(path: str | Path, device: object) -> Look:
    """The features of an extractor's file."""
    extractor = load_extractor(Path(path), device)
    return lambda images: extractor(images).numpy()


def logits_by(path: str | Path, device: object) -> Look:
    """The logits of the file of a dataset's classifier."""
    classifier = load_classifier(path, device)
    return lambda images: classifier.logits(classifier.normalised(images)).numpy()
