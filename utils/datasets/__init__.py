"""What `utils.data` gives beside its own files: made from a seed, or read from a reader's."""
