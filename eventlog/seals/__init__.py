"""Tamper evidence: seals that chain the log's blocks, signed checkpoints, proofs of single events. Hashing, no I/O."""
