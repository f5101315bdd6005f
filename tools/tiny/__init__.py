"""The trainer of the embedded tiny models, one module a stage."""
