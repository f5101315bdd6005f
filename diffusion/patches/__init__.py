"""Changes to a model that a clone of its handle carries: each function takes a MODEL and gives a patched
clone."""
