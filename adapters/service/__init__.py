"""The one door: commands and questions, each loaded, decided and saved in one transaction."""
