"""The pure core: facts, rules and decisions. It reads no clock, no file, no store."""
