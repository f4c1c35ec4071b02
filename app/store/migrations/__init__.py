"""Alembic's folder: `env.py`, and one file a step under `versions/`. Run by `store.schema` alone."""
