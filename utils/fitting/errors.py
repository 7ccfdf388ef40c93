"""The error for what training cannot start with."""


class InputError(ValueError):
    """Something that training cannot start with; the message says what, and what to do."""
