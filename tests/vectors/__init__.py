"""The published test vectors: how they are made (python -m tests.vectors) and three checkers that stand alone."""
