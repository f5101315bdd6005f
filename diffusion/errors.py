"""The one error this package raises on purpose."""


class DiffusionError(ValueError):
    """What went wrong, where, and the nearest fix, as a sentence for the user."""
