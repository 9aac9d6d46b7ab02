"""The exactness proof: a stream through all doors under kill -9, and every answer equal to a plain recount of it."""
