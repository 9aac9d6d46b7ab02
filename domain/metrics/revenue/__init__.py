"""Revenue: what subscriptions and payments come to. MRR is in twelfths of a trillionth, other money in trillionths."""
