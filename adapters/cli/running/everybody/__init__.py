"""What the commands about everybody do."""
