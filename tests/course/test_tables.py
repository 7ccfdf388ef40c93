"""CSV files of all kinds: what becomes of them, and what is said about those that are no tables."""

import csv

import pytest
import torch

from utils.data import load, read_table

SMALL = """species,bill (mm),mass (g)
Adelie,39.1,3750
Gentoo,46.5,5400
Adelie,NA,3800
Adelie,37.8,3400
Gentoo,50,5550
"""


@pytest.fixture
def file(tmp_path):
    """A function that writes text or bytes into a file and returns its path."""

    def write(content, encoding="utf-8", name="birds.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write


def complaint(path, target="mass (g)", **settings):
    """Return the one sentence that a file gives, without its path."""
    with pytest.raises(ValueError) as caught:
        read_table(path, target, **settings)
    message = str(caught.value)
    assert path.name in message and "\n" not in message and message.endswith(".")
    return message.replace(str(path), "FILE")


def test_numbers_and_texts_become_features_and_gaps_go(file):
    table = read_table(file(SMALL), "mass (g)")
    assert table.names == ("species = Adelie", "species = Gentoo", "bill (mm)")
    expected = [[1, 0, 39.1], [0, 1, 46.5], [1, 0, 37.8], [0, 1, 50]]
    assert torch.equal(table.features, torch.tensor(expected))
    assert torch.equal(table.target, torch.tensor([[3750.0], [5400], [3400], [5550]]))
    assert (table.target_name, table.unit) == ("mass (g)", "g")
    assert table.features.is_contiguous()
    assert (table.rows_read, table.gaps, table.left_out) == (5, {"bill (mm)": 1}, {})


def test_a_table_says_how_it_came_about(file):
    text = SMALL.replace("\n", ",x\n").replace(",x\n", ",ring\n", 1)
    lines = str(read_table(file(text, name="my birds.csv"), "mass")).splitlines()
    assert lines == [
        "my birds.csv, UTF-8, columns separated by commas",
        "  rows      5 read, 1 dropped because of gaps, 4 kept",
        "  gaps      1 in bill (mm)",
        "  target    mass (g), from 3400 to 5550",
        "  features  3, of which numbers: bill (mm)",
        "  one-hot   species (Adelie, Gentoo)",
        "  left out  ring (the same in every row)",
    ]


def test_penguins_come_back_as_they_were(tmp_path):
    penguins = load("penguins")
    columns = {}
    for key in ("species", "island", "sex"):
        texts = [*penguins.labels[key], ""]  # a gap, -1, becomes an empty field
        columns[key] = [texts[code] for code in penguins[key]]
    for column, name in enumerate(penguins.columns["measurements"]):
        values = penguins["measurements"][:, column].tolist()
        columns[name] = ["NA" if value != value else f"{value:g}" for value in values]
    with open(tmp_path / "penguins.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerows([columns, *zip(*columns.values(), strict=True)])
    table = read_table(tmp_path / "penguins.csv", "body_mass")
    whole = penguins["measurements"].isfinite().all(dim=1) & (penguins["sex"] >= 0)
    parts = [torch.nn.functional.one_hot(penguins[key][whole]) for key in ("species", "island")]
    parts += [torch.nn.functional.one_hot(penguins["sex"][whole])]
    expected = torch.cat([*parts, penguins["measurements"][whole, :3]], dim=1)
    assert torch.equal(table.features, expected) and len(expected) == 333
    assert torch.equal(table.target, penguins["measurements"][whole, 3:])
    assert table.gaps == {
        "sex": 11, "bill_length": 2, "bill_depth": 2, "flipper_length": 2, "body_mass": 2
    }  # fmt: skip


@pytest.mark.parametrize(
    "encoding, name",
    [("utf-8", "UTF-8"), ("utf-8-sig", "UTF-8"), ("utf-16", "UTF-16"), ("cp1252", "Windows-1252")],
)
def test_encodings(file, encoding, name):
    table = read_table(file(SMALL.replace("Gentoo", "Königspinguin"), encoding), "mass")
    assert table.names == ("species = Adelie", "species = Königspinguin", "bill (mm)")
    assert f"birds.csv, {name}," in str(table)


@pytest.mark.parametrize("separator, name", [(",", "commas"), (";", "semicolons"), ("\t", "tabs")])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_separators_and_ends_of_lines(file, separator, name, end):
    text = "\n" + SMALL.replace(",", separator) + 2 * separator + "\n\n"  # as Excel leaves them
    table = read_table(file(text.replace("\n", end)), "mass (g)")
    assert torch.equal(table.features, read_table(file(SMALL), "mass (g)").features)
    assert f"separated by {name}" in str(table)


def test_decimal_commas_where_semicolons_separate(file):
    text = SMALL.replace(",", ";").replace(".", ",").replace("3750", "3,75e3")
    table = read_table(file(text), "mass (g)")
    assert torch.equal(table.features, read_table(file(SMALL), "mass (g)").features)
    assert table.target[0] == 3750
    thousands = text.replace("5400", "5.400")
    assert "FILE, line 3, column 'mass (g)': '5.400' has a point" in complaint(file(thousands))


@pytest.mark.parametrize("gap", ["", " ", "NA", "N/A", "NaN", "?", "-"])
def test_what_counts_as_a_gap(file, gap):
    table = read_table(file(SMALL.replace("5400", gap).replace(",NA,", ",40,")), "mass (g)")
    assert table.gaps == {"mass (g)": 1} and len(table.target) == 4
    assert "mass (g), from 3400 to 5550" in str(table)


@pytest.mark.parametrize(
    "word, number", [("-4", -4), ("+.5", 0.5), ("7.", 7), ("1e3", 1000), ("2.5E-1", 0.25)]
)
def test_ways_to_write_a_number(file, word, number):
    table = read_table(file(SMALL.replace("39.1", word)), "mass (g)")
    assert table.features[0, 2] == number


def test_quotation_marks_hold_separators_and_lines_together(file):
    text = 'place,mass (g)\n"Dream, west",1\n"Dream,\nwest",2\n "Dream, west",3\n"the ""cape""",4\n'
    text += '"the ""cape""",5\n"Dream,\nwest",what?\n'
    assert "FILE, line 8, column 'mass (g)': 'what?'" in complaint(file(text))
    table = read_table(file(text.replace("what?", "6")), "mass (g)")
    assert table.names == (
        "place = Dream,\nwest", "place = Dream, west", 'place = the "cape"'
    )  # fmt: skip


def test_what_cannot_help_is_left_out_and_cannot_cost_rows(file):
    rows = ["", "n,name,species,year,note,ring,mass (g),"]
    rows += [f"{n},bird {n},{'AG'[n % 2]},2007,,{'x' if n == 3 else ''},{n}," for n in range(8)]
    table = read_table(file("\n".join(rows)), "mass", leave_out=["n"])
    assert table.names == ("species = A", "species = G") and len(table.target) == 8
    assert table.left_out == {
        "n": "as you asked",
        "unnamed column 8": "without a name",
        "name": "texts, more than half of them different, as 'bird 0'",
        "year": "the same in every row",
        "note": "without a value",
        "ring": "the same in every row",
    }
    assert table.gaps == {}


def test_a_column_that_is_constant_once_rows_are_dropped_is_left_out(file):
    table = read_table(file(SMALL.replace("46.5", "?").replace(",50,", ",-,")), "mass")
    assert table.names == ("bill (mm)",)
    assert table.left_out == {"species": "the same in every row that is kept"}


def test_names_may_lack_their_unit(file):
    path = file(SMALL)
    assert read_table(path, "bill", leave_out="mass").target_name == "bill (mm)"
    assert read_table(path, "bill", leave_out="mass").left_out == {"mass (g)": "as you asked"}
    assert read_table(file(SMALL.replace(" (g)", " [g]")), "mass").unit == "g"
    assert read_table(file(SMALL.replace(" (g)", "")), "mass").unit == ""
    twice = SMALL.replace("bill (mm)", "mass (kg)")
    assert "no column 'mass'; the closest is 'mass" in complaint(file(twice), "mass")


def test_the_default_dtype_is_followed(file):
    torch.set_default_dtype(torch.float64)
    try:
        table = read_table(file(SMALL), "mass")
    finally:
        torch.set_default_dtype(torch.float32)
    assert table.features.dtype == table.target.dtype == torch.float64
    assert table.features[0, 2].item() == 39.1


@pytest.mark.parametrize(
    "content, words",
    [
        ("", "FILE is empty"),
        (" \n\n", "FILE is empty"),
        ("species,bill (mm),mass (g)\n\n", "no rows below it"),
        (b"PK\x03\x04\x14", "is a workbook of a spreadsheet: save its table as CSV"),
        (b"\x89HDF\r\n\x1a\n\x00\x00", "is not a text file"),
        (b"a,b\n\x81,1", "is not a text file"),
        (SMALL.replace(",", "|"), "FILE, line 1: there is only one column"),
        (
            SMALL.replace("37.8", "37,8"),
            "FILE, line 5: 4 fields, where the first line names 3 columns; a text or number that "
            "contains commas needs",
        ),
        (
            SMALL.replace(",5400", ""),
            "FILE, line 3: 2 fields, where the first line names 3 columns; one is missing: for a "
            "gap leave an empty field, between two commas.",
        ),
        (SMALL.replace("bill (mm)", "species"), "line 1: 2 columns are named 'species': rename"),
        (
            SMALL.replace("37.8", "3o"),
            "FILE, line 5, column 'bill (mm)': '3o' is not a number, while 3 of 4 values are",
        ),
        (SMALL.replace("37.8", "inf"), "line 5, column 'bill (mm)': 'inf' is not a number"),
        (SMALL.replace("3800", "1_000"), "line 4, column 'mass (g)': '1_000' is not a number"),
        (SMALL.replace("37.8", "٣"), "line 5, column 'bill (mm)': '٣' is not a number"),
        (SMALL.replace("Gentoo", '"Gentoo'), "FILE, line 3: a quotation mark is not closed"),
        (
            "a,b,mass (g)\n1,,3\n,2,4\n3,,5\n5,6,NA\n",
            "no row is without a gap; the column 'b' has most (2 in 4 rows): fill its gaps, or use "
            "leave_out=['b']",
        ),
        (
            "name,year,mass (g)\nx,7,1\ny,7,2\nz,7,3\n",
            "no column is left to predict 'mass (g)' from: name (texts, more than half of them "
            "different, as 'x'); year (the same in every row).",
        ),
        ("a,mass (g)\n1,2\n2,2\n", "the target 'mass (g)' does not vary"),
        ("a,mass (g)\n1,\n2,NA\n", "the target 'mass (g)' does not vary"),
    ],
)
def test_what_is_no_table_is_said_with_line_and_column(file, content, words):
    assert words in complaint(file(content))


@pytest.mark.parametrize("replaced", [["39.1"], ["39.1", "46.5", "37.8"], ["3750", "5400", "3400"]])
@pytest.mark.parametrize(
    "word",
    ["0,5", "13,", "1,300", "1,300.5", "1.300,5", "1.300.000", "1 300", "-2\xa0300,5", "1'300"],
)
def test_a_number_in_another_way_is_not_taken_for_a_text(file, word, replaced):
    text = SMALL
    for number in replaced:
        text = text.replace(number, f'"{word}"')
    message = complaint(file(text))
    assert "FILE, line 2, column " in message and f": {word!r} looks like a number" in message
    assert "write 1300.5 (a decimal comma may stay where semicolons" in message


def test_thousands_where_semicolons_separate(file):
    text = SMALL.replace(",", ";").replace("39.1", "1.300,5")
    assert "'1.300,5' looks like a number with" in complaint(file(text))
    text = text.replace(".5;", ",5;").replace(".8", ",8")
    assert "write 1300,5, or, if it is no number, use leave_out=" in complaint(file(text))


def test_texts_with_digits_stay_texts(file):
    words = ["3,4 5", "030 123", "10.0.0.1", "2024-05-01", "1 30", "a 300"]
    for word in words:
        table = read_table(file(SMALL.replace("Adelie", f'"{word}"')), "mass")
        assert table.names[:2] == tuple(sorted([f"species = {word}", "species = Gentoo"]))


def test_a_target_that_is_not_there_or_not_a_number(file):
    path = file(SMALL)
    assert (
        "has no column 'Mass (g)'; the closest is 'mass (g)', and there are: species, bill (mm), "
        "mass (g)." in complaint(path, "Mass (g)")
    )
    assert "has no column 'MASSE'; the closest is 'mass (g)', and" in complaint(path, "MASSE")
    assert "has no column 'weight'; there are: species, bill (mm)," in complaint(path, "weight")
    assert "has no column 2; there are: species," in complaint(path, 2)
    words = "the target 'species' is a column of texts (Adelie, Gentoo)"
    assert words in complaint(path, "species")
    assert "has no column 'wing'" in complaint(path, leave_out=["wing"])
    assert "cannot be left out" in complaint(path, leave_out="mass")


def test_a_file_that_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"There is no file .*birds\.csv: "):
        read_table(tmp_path / "birds.csv", "mass")
    with pytest.raises(FileNotFoundError, match="is a folder: give the path of the file in it"):
        read_table(str(tmp_path), "mass")
