"""Models on disk: JSON and safetensors, checked before they are used; never pickle."""

from oddgan.storage.head import FITTED
from oddgan.storage.models import Model, known_parts, save_model, stored_parameters, versions

__all__ = ["FITTED", "Model", "known_parts", "save_model", "stored_parameters", "versions"]
