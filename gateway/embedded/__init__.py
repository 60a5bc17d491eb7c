"""Real PostgreSQL and Redis from Python wheels, started and stopped under ``data_dir``.

For one computer and start-up comfort; production gives URLs instead.
"""
