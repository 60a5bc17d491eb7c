"""Everything is broken on purpose, with a seed, and what was promised is checked from outside."""
