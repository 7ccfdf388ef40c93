"""The course's exercises: `core` holds how a check works, and each notebook has a module."""
