"""The door for background work: Celery rings, one event loop does."""
