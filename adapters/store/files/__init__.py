"""Whose a file is, found without changing it; and how every file of ours is written."""
