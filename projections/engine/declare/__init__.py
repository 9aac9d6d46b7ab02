"""How a projection is declared: rows, merge rules, folds, queries; and the list of all there are."""
