"""Looks after a store: create, migrate, check, back up, copy, grant."""
