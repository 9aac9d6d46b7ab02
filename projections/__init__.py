"""The product's table of contents: one file a projection. `engine` drives them all."""
