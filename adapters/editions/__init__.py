"""Reads and checks the YAML files of editions; a mistake is named with line and column."""
