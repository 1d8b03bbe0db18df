"""For the tests of whoever embeds yibao."""
