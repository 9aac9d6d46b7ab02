"""The published contract as a thing that is compiled, compared with its last release, and released."""
