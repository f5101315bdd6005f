"""The one error this package raises on purpose."""


class DiffusionError(Exception):
    """What went wrong, where, and the nearest fix, as a sentence for the user."""
