"""The same law for everybody at once."""
