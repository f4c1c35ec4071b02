"""Alembic's folder: `env.py`, and a file a step under `versions/`. Run by `store.schema` alone."""
