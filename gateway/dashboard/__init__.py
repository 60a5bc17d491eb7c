"""The operators' dashboard under ``/ops``: pages for people, beside the JSON API and never through it."""
