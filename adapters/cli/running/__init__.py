"""What the commands do: loaded when one of them runs, so that the others start at once."""
