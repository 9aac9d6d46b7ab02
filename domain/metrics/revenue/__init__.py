"""Revenue: what subscriptions and payments come to. MRR is in twelfths of a millionth, other money in millionths."""
