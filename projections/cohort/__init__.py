"""Everybody at once: what stands at every instant, and the law over columns."""
