"""The errors that users meet. Each says what was given, what is expected and what to do, in one sentence."""


class OddganError(Exception):
    """Base of every error that oddgan raises on purpose."""


class InputError(OddganError, ValueError):
    """Data or an argument that can't be used as given."""


class ModelError(OddganError, ValueError):
    """A stored model that can't be loaded."""


class TrainingError(OddganError, RuntimeError):
    """Training that can't go on, e.g. after a loss that is not finite."""


class MissingExtraError(OddganError, ImportError):
    """An optional dependency that is not installed."""
