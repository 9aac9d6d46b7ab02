"""Questions about trading that are answered from the ledger and from what accounts were worth."""
