"""What a notice says: the model of an edition, citations, the table of benefits, and the files."""
