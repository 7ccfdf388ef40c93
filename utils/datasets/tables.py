"""A table of a reader's own: from a CSV file to tensors, with every decision said."""

import csv
import difflib
import io
import math
import re
import textwrap
from dataclasses import dataclass
from pathlib import Path

import torch

GAPS = {"", "NA", "N/A", "NaN", "nan", "?", "-"}
SEPARATORS = {";": "semicolons", "\t": "tabs", ",": "commas"}
BYTE_ORDER_MARKS = {
    b"\xef\xbb\xbf": ("UTF-8", "utf-8-sig"),
    b"\xff\xfe": ("UTF-16", "utf-16"),
    b"\xfe\xff": ("UTF-16", "utf-16"),
}
UNNAMED = "unnamed column"
WORKBOOKS = (b"PK\x03\x04", b"\xd0\xcf\x11\xe0")  # .xlsx and .ods are zip files; older .xls
WITH_POINT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
WITH_COMMA = re.compile(r"[+-]?(\d+,\d*|,\d+)(e[+-]?\d+)?", re.IGNORECASE | re.ASCII)
IN_THOUSANDS = re.compile(r"[+-]?[1-9]\d{0,2}([ .,'\u00a0\u202f]\d{3})+([.,]\d*)?", re.ASCII)


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """A table of numbers without gaps, and how it came about, which `print(table)` says.

    Attributes:
        features: (n, d) in torch's default dtype, in the units of their columns.
        target: (n, 1), the same.
        names: for each feature what stands above its column, "bill length (mm)", or the column and
            the text that a 1 stands for, "species = Adelie".
        target_name: what stands above the target's column, "body mass (g)".
        unit: the target's unit, what stands in brackets at the end of its name, or "".
        origin: the file's name, and how it is written.
        rows_read: the number of rows in the file; n of them are without gaps.
        gaps: the columns with gaps, column -> number of gaps.
        one_hot: the columns of texts, column -> the different texts.
        left_out: the columns that are not used, column -> why.
    """

    features: torch.Tensor
    target: torch.Tensor
    names: tuple
    target_name: str
    unit: str
    origin: str
    rows_read: int
    gaps: dict
    one_hot: dict
    left_out: dict

    def __repr__(self):
        low, high = (f"{value.item():g}" for value in self.target.aminmax())
        hot = {f"{column} = {text}" for column, texts in self.one_hot.items() for text in texts}
        numbers = [name for name in self.names if name not in hot]
        dropped = self.rows_read - len(self.target)
        parts = {
            "rows": f"{self.rows_read} read, {dropped} dropped because of gaps, "
            f"{len(self.target)} kept",
            "gaps": ", ".join(f"{number} in {column}" for column, number in self.gaps.items()),
            "target": f"{self.target_name}, from {low} to {high}",
            "features": f"{len(self.names)}, of which numbers: {', '.join(numbers) or 'none'}",
            "one-hot": "; ".join(
                f"{column} ({some_of(texts)})" for column, texts in self.one_hot.items()
            ),
            "left out": "; ".join(with_reasons(self.left_out)),
        }
        lines = [self.origin]
        for title, text in parts.items():
            start = f"  {title:<10}"
            lines += textwrap.wrap(
                text, 100, initial_indent=start, subsequent_indent=" " * len(start)
            )
        return "\n".join(lines)


def read_table(path, target, leave_out=()):
    """Read a CSV file whose first line names the columns, to predict one of them.

    Columns of numbers become features as they are. A column of texts becomes one feature for each
    different text, 1 where the row has it and 0 elsewhere (one-hot), the texts in the alphabet's
    order. Rows with a gap in a column that is used are dropped: an empty field, NA, N/A, NaN, ? or
    -. Left out are columns without a name in the first line, without a value, with the same value
    in every row, and texts of which more than half are different, as names and numbers of
    identity are. `print(table)` says all of this. A column of numbers that mean nothing, such as a
    row's number, looks like any other: name it in `leave_out`.

    Columns are separated by commas, semicolons or tabs, whichever the first line has most of. Where
    it is not commas, numbers may have a decimal comma, and then all of them must; separators of
    thousands are refused. The text is UTF-8 or, with a byte order mark, UTF-16; what cannot be
    UTF-8 is read as Windows-1252.

    Args:
        path: the file; a path that is not absolute begins at the notebook's folder.
        target: the name of the column to predict, with or without the unit in brackets.
        leave_out: names of columns that are not to be used.

    Returns:
        Table: features (n, d), target (n, 1), and where they come from.

    Raises:
        FileNotFoundError: there is no such file, or it is a folder.
        ValueError: the file is no table, or the target no column of numbers; the message says which
            line and which column, and what to do.
    """
    path = Path(path).expanduser().resolve()
    text, encoding = decoded(path)
    separator = separator_of(text, path)
    words = columns_of(text, separator, path)
    target = column_called(target, words, path)
    left_out = not_wanted(words, target, leave_out, path)
    words = {name: column for name, column in words.items() if name not in left_out}
    comma = separator != "," and any(
        WITH_COMMA.fullmatch(word) for column in words.values() for word in column.values()
    )
    used = {name: without_gaps(column, name, comma, path) for name, column in words.items()}
    check_target(used[target], target, path)
    for name in [name for name in words if name != target]:
        if why := of_no_use(used[name]):
            left_out[name] = why
            del used[name]
    rows = words[target].keys()
    gaps = {name: len(rows) - len(values) for name, values in used.items()}
    used = in_whole_rows(used, gaps, rows, path)
    y = used.pop(target)
    for name in [name for name, values in used.items() if len(set(values)) == 1]:
        left_out[name] = "the same in every row that is kept"
        del used[name]
    features, one_hot = as_features(used)
    if not features:
        reasons = some_of(with_reasons(left_out), between="; ")
        raise ValueError(f"{path}: no column is left to predict {target!r} from: {reasons}.")
    return Table(
        features=torch.tensor(list(features.values())).T.contiguous(),
        target=torch.tensor(y)[:, None],
        names=tuple(features),
        target_name=target,
        unit=name_and_unit(target)[1],
        origin=f"{path.name}, {encoding}, columns separated by {SEPARATORS[separator]}",
        rows_read=len(rows),
        gaps={name: number for name, number in gaps.items() if number},
        one_hot=one_hot,
        left_out=left_out,
    )


# ------------------------------------------------------------------------------- from file to words
def decoded(path):
    """Return a file's text, and the name of its encoding."""
    if path.is_dir():
        raise FileNotFoundError(f"{path} is a folder: give the path of the file in it.")
    if not path.is_file():
        raise FileNotFoundError(f"There is no file {path}: is it in another folder?")
    content = path.read_bytes()
    if content.startswith(WORKBOOKS):
        raise ValueError(f"{path} is a workbook of a spreadsheet: save its table as CSV in there.")
    choices = [("UTF-8", "utf-8"), ("Windows-1252", "cp1252")]
    for mark, choice in BYTE_ORDER_MARKS.items():
        if content.startswith(mark):
            choices = [choice]
    for name, encoding in choices:
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" not in text:
            return text, name
    raise ValueError(f"{path} is not a text file: save the table as CSV, in UTF-8.")


def separator_of(text, path):
    """Return the separator that the first line has most of, outside of quotation marks."""
    if not text.strip():
        raise ValueError(f"{path} is empty: its first line should name the columns.")
    first = text.lstrip("\r\n")
    numbers = {
        separator: len(next(csv.reader(io.StringIO(first, newline=""), delimiter=separator)))
        for separator in SEPARATORS
    }
    separator = max(numbers, key=numbers.get)
    if numbers[separator] == 1:
        raise ValueError(
            f"{path}, line 1: there is only one column; commas, semicolons or tabs separate them."
        )
    return separator


def columns_of(text, separator, path):
    """Return the words of each column: name -> number of the line -> word."""
    rows = lines_of(text, separator, path)
    first = next(iter(rows.values()))
    header = [name or f"{UNNAMED} {place}" for place, name in enumerate(first, start=1)]
    for name in header:
        if header.count(name) > 1:
            raise ValueError(
                f"{path}, line 1: {header.count(name)} columns are named {name!r}: rename them, so "
                "that each name is there once."
            )
    rows = dict(list(rows.items())[1:])
    if not rows:
        raise ValueError(f"{path} has a first line with names and no rows below it.")
    for line, row in rows.items():
        if len(row) != len(header):
            marks = SEPARATORS[separator]
            hint = f"a text or number that contains {marks} needs quotation marks around it"
            if len(row) < len(header):
                hint = f"one is missing: for a gap leave an empty field, between two {marks}"
            raise ValueError(
                f"{path}, line {line}: {len(row)} field{'s' * (len(row) != 1)}, where the first "
                f"line names {len(header)} columns; {hint}."
            )
    columns = zip(*rows.values(), strict=True)
    return {
        name: dict(zip(rows, words, strict=True))
        for name, words in zip(header, columns, strict=True)
    }


def lines_of(text, separator, path):
    """Return the fields of each line that is not blank: number of the line -> list of words."""
    reader = csv.reader(
        io.StringIO(text, newline=""), delimiter=separator, skipinitialspace=True, strict=True
    )
    rows = {}
    while True:
        line = reader.line_num + 1
        try:
            row = [word.strip() for word in next(reader)]
        except StopIteration:
            return rows
        except csv.Error:
            raise ValueError(
                f"{path}, line {line}: a quotation mark is not closed, or stands inside a word "
                "(there it is written twice)."
            ) from None
        if any(row):
            rows[line] = row


def column_called(name, columns, path):
    """Return the column of this name, which may lack its unit, as it is written in the file."""
    matches = [column for column in columns if name in (column, name_and_unit(column)[0])]
    if len(matches) == 1 or name in columns:
        return name if name in columns else matches[0]
    bare = {name_and_unit(column)[0].lower(): column for column in columns}
    close = difflib.get_close_matches(name_and_unit(str(name))[0].lower(), bare, n=1)
    guess = f"the closest is {bare[close[0]]!r}, and " if close else ""
    raise ValueError(f"{path} has no column {name!r}; {guess}there are: {some_of(columns)}.")


def not_wanted(columns, target, leave_out, path):
    """Return the columns that are left out before anything is known of them: name -> why."""
    asked = [leave_out] if isinstance(leave_out, str) else leave_out
    left_out = {column_called(name, columns, path): "as you asked" for name in asked}
    if target in left_out:
        raise ValueError(f"The target {target!r} cannot be left out of {path.name}: choose one.")
    unnamed = [name for name in columns if name.startswith(UNNAMED) and name != target]
    return left_out | {name: "without a name" for name in unnamed}


def name_and_unit(column):
    """Return a column's name and its unit: "body mass (g)" gives "body mass", "g"."""
    parts = re.fullmatch(r"(.+?)\s*[(\[]([^()\[\]]+)[)\]]", column)
    return parts.groups() if parts else (column, "")


# ----------------------------------------------------------------------------- from words to values
def without_gaps(words, name, comma, path):
    """Return a column's values where it has no gap, line -> float, or text in a column of texts.

    A column is one of numbers where more than half of its words are.
    """
    words = {line: word for line, word in words.items() if word not in GAPS}
    values = {line: number_in(word, comma) for line, word in words.items()}
    strays = [line for line, value in values.items() if value is None]
    if comma:
        for line in strays:
            if WITH_POINT.fullmatch(words[line]):
                raise ValueError(
                    f"{path}, line {line}, column {name!r}: {words[line]!r} has a point, while "
                    "other numbers have a decimal comma: write all of them in one way."
                )
    if not strays:
        return values
    odd = [line for line in strays if in_another_way(words[line])]
    if odd and len(strays) - len(odd) < len(words) / 2:
        stays = "1300.5 (a decimal comma may stay where semicolons separate the columns)"
        raise ValueError(
            f"{path}, line {odd[0]}, column {name!r}: {words[odd[0]]!r} looks like a number with "
            f"a decimal comma or separators of thousands: write {'1300,5' if comma else stays}, "
            f"or, if it is no number, use leave_out=[{name!r}]."
        )
    if len(strays) < len(words) / 2:
        line, numbers = strays[0], len(words) - len(strays)
        raise ValueError(
            f"{path}, line {line}, column {name!r}: {words[line]!r} is not a number, while "
            f"{numbers} of {len(words)} values are: correct it, or leave the field empty."
        )
    return words


def number_in(word, comma):
    """Return the number that a word is, or None."""
    if comma and WITH_COMMA.fullmatch(word):
        word = word.replace(",", ".")
    elif not WITH_POINT.fullmatch(word) or (comma and "." in word):
        return None
    return number if math.isfinite(number := float(word)) else None


def in_another_way(word):
    """Return whether a word looks like a number with a decimal comma, or parted in thousands."""
    return bool(WITH_COMMA.fullmatch(word) or IN_THOUSANDS.fullmatch(word))


def of_no_use(values):
    """Return why a column's values, line -> value, cannot help to predict anything, or ""."""
    different = set(values.values())
    if not different:
        return "without a value"
    if len(different) == 1:
        return "the same in every row"
    if is_text(values.values()) and len(different) > len(values) / 2:
        return f"texts, more than half of them different, as {next(iter(values.values()))!r}"
    return ""


def check_target(values, name, path):
    """Raise unless the target is a column of different numbers."""
    if is_text(values.values()):
        raise ValueError(
            f"{path}: the target {name!r} is a column of texts ({some_of(set(values.values()))}): "
            "choose a column of numbers."
        )
    if len(set(values.values())) < 2:
        raise ValueError(f"{path}: the target {name!r} does not vary, so nothing can be predicted.")


def is_text(values):
    """Return whether these values are texts."""
    return any(isinstance(value, str) for value in values)


def in_whole_rows(used, gaps, rows, path):
    """Return the values of each column in the rows that have no gap: name -> list."""
    kept = [line for line in rows if all(line in values for values in used.values())]
    if not kept:
        name = max(gaps, key=gaps.get)
        raise ValueError(
            f"{path}: no row is without a gap; the column {name!r} has most ({gaps[name]} in "
            f"{len(rows)} rows): fill its gaps, or use leave_out=[{name!r}]."
        )
    return {name: [values[line] for line in kept] for name, values in used.items()}


def as_features(used):
    """Return the features, name -> list of numbers, and the texts that were made into some."""
    features, one_hot = {}, {}
    for name, values in used.items():
        if not is_text(values):
            features[name] = values
            continue
        one_hot[name] = tuple(sorted(set(values)))
        for text in one_hot[name]:
            features[f"{name} = {text}"] = [float(value == text) for value in values]
    return features, one_hot


def with_reasons(left_out):
    """Return the columns that are left out, each with why in brackets."""
    return [f"{column} ({why})" for column, why in left_out.items()]


def some_of(words, most=10, between=", "):
    """Return words in a list, and how many more there are."""
    words = sorted(words) if isinstance(words, set) else list(words)
    more = f" and {len(words) - most} more" if len(words) > most else ""
    return between.join(words[:most]) + more
