"""Models on disk: JSON and safetensors, checked before they are used; never pickle."""

from oddgan.storage.models import known_parts, load, save, stored_parameters, versions

__all__ = ["known_parts", "load", "save", "stored_parameters", "versions"]
