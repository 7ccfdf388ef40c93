"""What comes out of grading: a table, a page and a results.json per student, and the class page.

Every page is one file that works without a network. Whatever a student wrote is escaped.
"""

import base64
import collections
import csv
import hashlib
import html
import io
import json
from dataclasses import dataclass
from pathlib import Path

from tools.setup.workspace import write_whole
from utils.exercises.record import OPEN, RIGHT, SYMBOLS, WRONG

MISSING = "missing"
SIGNS = {**SYMBOLS, MISSING: "–"}
WORDS = {RIGHT: "right", WRONG: "wrong", OPEN: "open", MISSING: "not handed in"}
FOLDER = Path(__file__).parent
STYLE = (FOLDER / "class_page.css").read_text(encoding="utf-8")
SCRIPT = (FOLDER / "class_page.js").read_text(encoding="utf-8")
MOST_FREQUENT = 12  # misconceptions at the top of the page


@dataclass(frozen=True)
class Place:
    """Where an exercise stands in the course: its cell's id, and its section's heading."""

    cell: str
    section: str


class Class:
    """All results of a class.

    Args:
        results: what was graded of each student: {"name", "folder", "notes", "notebooks"}, with
            {stem: {exercise: {"status", "message", ...}}} for the notebooks.
        exercises: {stem: names of its exercises, in order}.
        places: {(stem, exercise): its `Place` in the course}.
        guarded: sentences that say what was guarded, and what not.
        site: the address of the course's pages beside class.html, "" if there are none.
    """

    def __init__(self, results, exercises, places, guarded, site=""):
        self.results, self.places, self.guarded = results, places, guarded
        self.site = site
        handed_in = {stem for result in results for stem in result["notebooks"]}
        # What nobody handed in was not asked for.
        self.columns = [
            (stem, name) for stem in exercises if stem in handed_in for name in exercises[stem]
        ]

    def verdict(self, result, stem, name):
        """Return what was found on one exercise of one student."""
        missing = {"status": MISSING, "message": "This notebook was not handed in."}
        return result["notebooks"].get(stem, {}).get(name, missing)

    def status(self, result, column):
        """Return the status of one exercise of one student."""
        return self.verdict(result, *column)["status"]

    def score(self, result):
        """Return how many exercises of a student are right."""
        return sum(self.status(result, column) == RIGHT for column in self.columns)

    def odd(self, result):
        """Return how many answers of a student a person should look at."""
        return sum(bool(self.verdict(result, *column).get("odd")) for column in self.columns)

    def counts(self, column):
        """Return {status: students} of one exercise."""
        return collections.Counter(self.status(result, column) for result in self.results)

    def share(self, column):
        """Return the share of students whose answer is right, from 0 to 1."""
        return self.counts(column)[RIGHT] / max(1, len(self.results))

    def misconceptions(self):
        """Return [(count, stem, exercise, misconception)], the most frequent first."""
        counts = collections.Counter(
            (stem, name, self.verdict(result, stem, name).get("misconception"))
            for result in self.results
            for stem, name in self.columns
        )
        found = [(count, *what) for what, count in counts.items() if what[2]]
        return sorted(found, key=lambda each: (-each[0], each[1:]))


def write_reports(group, target):
    """Write all reports of a `Class` into a folder."""
    write_whole(target / "results.csv", table(group).encode("utf-8-sig", "replace"))
    for result in group.results:
        folder = target / "students" / result["folder"]
        write_whole(folder / "index.html", student_page(group, result).encode("utf-8", "replace"))
        scores = json.dumps(gradescope(group, result), indent=1, ensure_ascii=False)
        write_whole(folder / "results.json", scores.encode("utf-8", "replace"))
    write_whole(target / "class.html", class_page(group).encode("utf-8", "replace"))


def table(group):
    """Return the CSV file: a line per student. A spreadsheet takes no name for a formula."""
    out = io.StringIO()
    writer = csv.writer(out)
    names = [f"{stem[:2]} {name}" for stem, name in group.columns]
    writer.writerow(["student", *names, "right", "of", "look at", "notes"])
    for result in group.results:
        statuses = [group.status(result, column) for column in group.columns]
        row = [result["name"], *statuses, group.score(result), len(statuses), group.odd(result)]
        row = [*row, " ".join(result["notes"])]
        writer.writerow([f"'{each}" if str(each)[:1] in tuple("=+-@") else each for each in row])
    return out.getvalue()


def gradescope(group, result):
    """Return a student's results as Gradescope reads them."""
    tests = []
    for stem, name in group.columns:
        found = group.verdict(result, stem, name)
        right = found["status"] == RIGHT
        tests.append(
            {
                "number": stem[:2],
                "name": f"{stem[:2]} {name}",
                "score": int(right),
                "max_score": 1,
                "status": "passed" if right else "failed",
                "output": found["message"],
            }
        )
    return {
        "score": group.score(result),
        "output": " ".join(result["notes"]),
        "output_format": "text",
        "tests": tests,
    }


# -- Pages -------------------------------------------------------------------------------------


def page(title, body, script=""):
    """Return a page; `title` is plain text, `body` HTML, `script` the only one that may run."""
    allowed = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{safe(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'unsafe-inline'; script-src 'sha256-{allowed}'\"><style>{STYLE}</style>"
        f"</head>\n<body><main><h1>{safe(title)}</h1>\n{body}\n</main>"
        f"{f'<script>{script}</script>' * bool(script)}</body></html>\n"
    )


def safe(text):
    """Return any text as HTML."""
    return html.escape(str(text))


def breaking(name):
    """Return an exercise's name as HTML that may break into lines between its words."""
    return safe(name).replace("_", "_<wbr>")


def sign(status):
    """Return a status as a sign with its word, for eyes and readers."""
    return (
        f'<span aria-hidden="true">{SIGNS[status]}</span><span class="word">{WORDS[status]}</span>'
    )


def table_of(label, heads, rows, kind=""):
    """Return a table as HTML that scrolls by itself where it is wider or longer than the page."""
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{safe(label)}">'
        f'<table class="{kind}"><caption>{safe(label)}</caption><thead>{heads}</thead>'
        f"<tbody>{''.join(rows)}</tbody></table></div>"
    )


def heads(words):
    """Return the heads of columns that nothing is sorted by, as HTML."""
    return "<tr>" + "".join(f'<th scope="col">{word}</th>' for word in words) + "</tr>"


def sorting_head(column, word, attributes=""):
    """Return the head of a column that sorts by it, as HTML."""
    return (
        f'<th scope="col" data-column="{column}" {attributes}><button type="button">{safe(word)}'
        "</button></th>"
    )


def student_page(group, result):
    """Return the page of one student."""
    parts = [f"<p>{group.score(result)} of {len(group.columns)} exercises are right.</p>"]
    parts += [f'<p class="note">{safe(note)}</p>' for note in result["notes"]]
    for stem in dict.fromkeys(stem for stem, _ in group.columns):
        rows = []
        for name in (name for other, name in group.columns if other == stem):
            found = group.verdict(result, stem, name)
            said = f"<pre>{safe(found['message'])}</pre>"
            if found.get("odd"):
                where = ", ".join(found.get("cells", []))
                odd = ", ".join(found["odd"])
                said += f'<p class="note">Look at the code in {safe(where)}: it {safe(odd)}.</p>'
            status = found["status"]
            told = f'<td class="{status} status">{SIGNS[status]} {WORDS[status]}</td>'
            rows.append(f'<tr><th scope="row">{breaking(name)}</th>{told}<td>{said}</td></tr>')
        parts.append(table_of(stem, heads(("Exercise", "Result", "What the check says")), rows))
    return page(result["name"], "\n".join(parts))


def class_page(group):
    """Return the page of the class: who solved what, and which misconceptions there are."""
    parts = [
        f"<p>Students: {len(group.results)}. Exercises: {len(group.columns)}. A right answer says "
        "that a student got there, not how: the solutions are public. How long anybody took is not "
        "known: notebooks do not record it.</p>",
        misconception_table(group),
        exercise_table(group),
        student_table(group),
        "<h2>What was guarded</h2>",
        *(f"<p>{safe(sentence)}</p>" for sentence in group.guarded),
    ]
    return page("The class", "\n".join(parts), SCRIPT)


def place_of(group, column):
    """Return where the course treats an exercise, as HTML: a link where its pages are built."""
    stem, place = column[0], group.places[column]
    words = f"{stem[:2]}, {safe(place.section)}"
    if not group.site:
        return f"{words}, cell <code>{safe(place.cell)}</code>"
    return (
        f'<a href="{safe(group.site)}/notebooks/{safe(stem)}.html#{safe(place.cell)}">{words}</a>'
    )


def misconception_table(group):
    """Return the table of the most frequent misconceptions as HTML."""
    found = group.misconceptions()
    if not found:
        return "<h2>Misconceptions</h2><p>The checks have named none.</p>"
    rows = [
        f'<tr><td class="number">{count}</td><th scope="row">{safe(text)}</th>'
        f"<td>{breaking(name)}</td><td>{place_of(group, (stem, name))}</td></tr>"
        for count, stem, name, text in found[:MOST_FREQUENT]
    ]
    first = heads(("Students", "Misconception", "Exercise", "Where the course treats it"))
    more = len(found) - len(rows)
    return "<h2>Misconceptions</h2>" + table_of(
        "The most frequent" + (f"; {more} more stand with the exercises" if more else ""),
        first,
        rows,
    )


def exercise_table(group):
    """Return the table of exercises as HTML: how many solved each, and what the others thought."""
    thoughts = collections.defaultdict(list)
    for count, stem, name, text in group.misconceptions():
        thoughts[stem, name].append(f"<li>{count} × {safe(text)}</li>")
    rows = []
    for column in group.columns:
        counts, percent = group.counts(column), f"{100 * group.share(column):.0f}"
        numbers = (counts[status] for status in (WRONG, OPEN, MISSING))
        cells = "".join(f'<td class="number">{number}</td>' for number in numbers)
        named = thoughts[column]
        if named:
            named = f"<details><summary>{len(named)}</summary><ul>{''.join(named)}</ul></details>"
        rows.append(
            f'<tr><th scope="row">{column[0][:2]} {breaking(column[1])}</th>'
            f'<td class="number share" style="--part: {percent}%">{percent} %</td>{cells}'
            f'<td data-value="{len(thoughts[column])}">{named or 0}</td>'
            f"<td>{place_of(group, column)}</td></tr>"
        )
    words = ("Exercise", "Solved", "Wrong", "Open", "Not handed in", "Misconceptions")
    first = "".join(sorting_head(number, word) for number, word in enumerate(words))
    last = '<th scope="col">Where the course treats it</th>'
    return "<h2>Exercises</h2>" + table_of("Who solved what", f"<tr>{first}{last}</tr>", rows)


def student_table(group):
    """Return the table of exercises against students as HTML."""
    stems = collections.Counter(stem for stem, _ in group.columns)
    books = "".join(
        f'<th scope="colgroup" colspan="{count}">{safe(stem)}</th>' for stem, count in stems.items()
    )
    own = ("Student", "Right", "Look at")
    first = "".join(sorting_head(n, word, 'rowspan="2"') for n, word in enumerate(own))
    names = "".join(
        sorting_head(number, name, 'class="exercise"')
        for number, (_, name) in enumerate(group.columns, start=len(own))
    )
    rows = []
    for result in group.results:
        statuses = [group.status(result, column) for column in group.columns]
        cells = "".join(f'<td class="{status}">{sign(status)}</td>' for status in statuses)
        link = f'<a href="students/{safe(result["folder"])}/index.html">{safe(result["name"])}</a>'
        numbers = f"<td>{group.score(result)}</td><td>{group.odd(result)}</td>"
        rows.append(f'<tr><th scope="row">{link}</th>{numbers}{cells}</tr>')
    return (
        "<h2>Students</h2><p>✓ right, ✗ wrong, ○ open, – not handed in. <i>Look at</i> counts the "
        "answers whose code a person should read. A column's name sorts by it.</p>"
        '<p><label>Show students whose name has <input type="search"></label></p>'
        + table_of(
            "Exercises against students",
            f"<tr>{first}{books}</tr><tr>{names}</tr>",
            rows,
            "answers",
        )
    )
