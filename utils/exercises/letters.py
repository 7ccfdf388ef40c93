"""Exercises whose answer is letters in an order."""

from utils.exercises.answers import kind_of
from utils.exercises.core import WRONG, Exercise, Verdict


class LettersInOrder(Exercise):
    """Letters in an order: "DFBEA", "d, f, b, e, a" or the letters in a list.

    Args:
        options: the letters to choose from.
        clues: for each place, what to look at where its letter is wrong.
        confusions: (place from 1, letter) -> why that letter, which is easily mistaken, is wrong.
    """

    def __init__(self, name, *, options, clues, confusions, **rest):
        super().__init__(name, **rest)
        self.options = options
        self.clues = clues
        self.confusions = confusions
        self.letters = self.define(self.solution_code)

    def form(self):
        order = self.options[: len(self.letters)]
        return f'Write {len(self.letters)} letters in order, for example {self.name} = "{order}".'

    def judge(self, answer, *more):
        items = list(answer) if isinstance(answer, list | tuple | str) and not more else [None]
        if not all(isinstance(item, str) for item in items):
            return Verdict(WRONG, f"expected letters, got a {kind_of(answer)}. {self.form()}")
        given = [character.upper() for item in items for character in item if character.isalpha()]
        unknown = sorted(set(given) - set(self.options))
        if unknown:
            return Verdict(WRONG, f"there is no {', '.join(unknown)} here. {self.form()}")
        if len(given) != len(self.letters):
            return Verdict(WRONG, f"{len(given)} letters came. {self.form()}")
        for place, (letter, true) in enumerate(zip(given, self.letters, strict=True), start=1):
            if letter != true:
                why = self.confusions.get((place, letter), self.clues[place - 1])
                return Verdict(WRONG, f"number {place} is not {letter}: {why}")
        return self.right()
