"""Models on disk: JSON and safetensors, checked before they are used; never pickle."""

from oddgan.storage.classes import Known, check_names, known_classes, known_parts
from oddgan.storage.head import FITTED
from oddgan.storage.models import Model, save_model, stored_parameters, versions

__all__ = [
    "FITTED",
    "Known",
    "Model",
    "check_names",
    "known_classes",
    "known_parts",
    "save_model",
    "stored_parameters",
    "versions",
]
