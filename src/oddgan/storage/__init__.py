"""Models on disk: JSON and safetensors, checked before they are used; never pickle."""

from oddgan.storage.models import Model, known_parts, model_of, save_model, stored_parameters, versions

__all__ = ["Model", "known_parts", "model_of", "save_model", "stored_parameters", "versions"]
