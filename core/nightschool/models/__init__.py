"""One door to every model: `door` redacts, looks into the `ledger`, asks a backend, and records what was paid for."""
