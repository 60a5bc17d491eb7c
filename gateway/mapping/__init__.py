"""Declared tables made runnable: field maps, code lists, places, items, recognition. Pure but ``load``."""
