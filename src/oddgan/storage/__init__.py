"""Models on disk: JSON and safetensors, checked before they are used; never pickle."""

from oddgan.storage.classes import Known, check_names, known_classes, known_parts
from oddgan.storage.models import Model, model_of, save_model, stored_parameters, versions

__all__ = [
    "Known",
    "Model",
    "check_names",
    "known_classes",
    "known_parts",
    "model_of",
    "save_model",
    "stored_parameters",
    "versions",
]
