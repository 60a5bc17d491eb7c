"""Digests and signatures; keys are handed in (pure)."""
