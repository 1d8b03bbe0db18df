"""Answers as plain JSON, and the schemas of what others rely on."""
