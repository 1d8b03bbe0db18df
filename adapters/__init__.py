"""Everything that touches the world: clock, store, files, terminal."""
