"""While you work: from the spool to sessions."""
