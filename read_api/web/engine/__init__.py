"""The engineer's pages: projections and their rebuilds, the quarantine, snapshots, caches, processes."""
