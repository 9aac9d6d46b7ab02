"""From events to what they change: admission, decoding, folds."""
