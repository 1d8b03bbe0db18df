"""Reads scenarios, and replays them through the real service and store."""
