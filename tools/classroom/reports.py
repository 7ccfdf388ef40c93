"""What comes out of grading: a table, a page and a results.json per student, and the class page.

Every page is one file that works without a network. Whatever a student wrote is escaped.
"""

import collections
import csv
import html
import io
import json

from tools.setup.workspace import write_whole
from utils.exercises.record import OPEN, RIGHT, SYMBOLS, WRONG

MISSING = "missing"
SIGNS = {**SYMBOLS, MISSING: "–"}
WORDS = {RIGHT: "right", WRONG: "wrong", OPEN: "open", MISSING: "not handed in"}
STYLE = """
:root { color-scheme: light; }
body { font: 16px/1.5 system-ui, sans-serif; color: #1b1b1b; background: #fff; margin: 2rem auto;
  padding: 0 1rem; max-width: 75rem; }
a { color: #0b4f8a; } h1, h2 { line-height: 1.2; }
table { border-collapse: collapse; }
caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { border: 1px solid #8a8a8a; padding: .2rem .5rem; text-align: left; vertical-align: top; }
thead th { background: #eef1f4; } .class td { text-align: center; }
.class th.exercise { writing-mode: vertical-rl; font-weight: 500; }
.wide { overflow-x: auto; } .wide:focus-visible { outline: 3px solid #0b4f8a; }
.right { background: #d9f2df; } .wrong { background: #fbe0d2; } .open { background: #fff; }
.missing { background: #ededed; } pre { white-space: pre-wrap; margin: 0; font-size: .9rem; }
.word { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
.note { border-left: 4px solid #b35900; padding-left: .8rem; }
"""


class Class:
    """All results of a class.

    Args:
        results: what was graded of each student: {"name", "folder", "notes", "notebooks"}, with
            {stem: {exercise: {"status", "message", ...}}} for the notebooks.
        exercises: {stem: names of its exercises, in order}.
        cells: {(stem, exercise): id of its cell in the course}.
        guarded: sentences that say what was guarded, and what not.
    """

    def __init__(self, results, exercises, cells, guarded):
        self.results, self.cells, self.guarded = results, cells, guarded
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

    def share(self, column):
        """Return the share of students whose answer is right, from 0 to 1."""
        right = sum(self.status(result, column) == RIGHT for result in self.results)
        return right / max(1, len(self.results))

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
        odd = sum(bool(group.verdict(result, *column).get("odd")) for column in group.columns)
        row = [result["name"], *statuses, group.score(result), len(statuses), odd]
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


def page(title, body):
    """Return a page; `title` is plain text, `body` HTML."""
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{safe(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        f"style-src 'unsafe-inline'\"><style>{STYLE}</style></head>\n"
        f"<body><main><h1>{safe(title)}</h1>\n{body}\n</main></body></html>\n"
    )


def safe(text):
    """Return any text as HTML."""
    return html.escape(str(text))


def sign(status):
    """Return a status as a sign with its word, for eyes and readers."""
    return (
        f'<span aria-hidden="true">{SIGNS[status]}</span><span class="word">{WORDS[status]}</span>'
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
                said += f'<p class="note">Look at the code: it {safe(", ".join(found["odd"]))}.</p>'
            status = found["status"]
            rows.append(
                f'<tr><th scope="row">{safe(name)}</th><td class="{status}">{SIGNS[status]} '
                f"{WORDS[status]}</td><td>{said}</td><td>{safe(', '.join(found.get('cells', [])))}"
                f"</td><td>{found.get('seconds', '')}</td></tr>"
            )
        head = "".join(
            f'<th scope="col">{word}</th>'
            for word in ("Exercise", "Result", "What the check says", "Cell", "Seconds")
        )
        parts.append(
            f'<div class="wide" tabindex="0" role="region" aria-label="{safe(stem)}">'
            f"<table><caption>{safe(stem)}</caption><thead><tr>{head}</tr></thead>"
            f"<tbody>{''.join(rows)}</tbody></table></div>"
        )
    return page(result["name"], "\n".join(parts))


def class_page(group):
    """Return the page of the class: who solved what, and which misconceptions there are."""
    parts = [
        f"<p>{len(group.results)} students, {len(group.columns)} exercises. A right answer says "
        "that a student got there, not how: the solutions are public.</p>",
        misconception_table(group),
        class_table(group),
        "<h2>What was guarded</h2>",
        *(f"<p>{safe(sentence)}</p>" for sentence in group.guarded),
    ]
    return page("The class", "\n".join(parts))


def misconception_table(group):
    """Return the table of misconceptions as HTML."""
    found = group.misconceptions()
    if not found:
        return "<h2>Misconceptions</h2><p>The checks have named none.</p>"
    rows = "".join(
        f'<tr><td>{count}</td><th scope="row">{safe(name)}</th><td>{safe(text)}</td>'
        f"<td>{safe(stem)}.ipynb, <code>{safe(group.cells[stem, name])}</code></td></tr>"
        for count, stem, name, text in found
    )
    head = "".join(
        f'<th scope="col">{word}</th>'
        for word in ("Students", "Exercise", "Misconception", "Where the course treats it: cell")
    )
    return (
        "<h2>Misconceptions</h2><table><caption>What the answers get wrong, as the checks name it"
        f"</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
    )


def class_table(group):
    """Return the table of exercises against students as HTML."""
    stems = collections.Counter(stem for stem, _ in group.columns)
    books = "".join(
        f'<th scope="colgroup" colspan="{count}">{safe(stem)}</th>' for stem, count in stems.items()
    )
    names = "".join(
        f'<th scope="col" class="exercise">{safe(name)}</th>' for _, name in group.columns
    )
    shares = "".join(f"<td>{100 * group.share(column):.0f} %</td>" for column in group.columns)
    rows = []
    for result in group.results:
        cells = []
        for column in group.columns:
            status = group.status(result, column)
            cells.append(f'<td class="{status}">{sign(status)}</td>')
        link = f'<a href="students/{safe(result["folder"])}/index.html">{safe(result["name"])}</a>'
        score = f"<td>{group.score(result)}</td>"
        rows.append(f'<tr><th scope="row">{link}</th>{score}{"".join(cells)}</tr>')
    return (
        "<h2>Who solved what</h2><p>✓ right, ✗ wrong, ○ open, – not handed in</p>"
        '<div class="wide" tabindex="0" role="region" aria-label="Who solved what">'
        '<table class="class"><caption>Exercises against students</caption><thead><tr>'
        '<th scope="col" rowspan="2">Student</th><th scope="col" rowspan="2">Right</th>'
        f"{books}</tr><tr>{names}</tr></thead><tbody>"
        f'<tr><th scope="row">share solved</th><td></td>{shares}</tr>'
        f"{''.join(rows)}</tbody></table></div>"
    )
