"""The API under schemathesis: python -m tests.fuzz."""
