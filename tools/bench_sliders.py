"""How fast sliders answer: from the press of a key to the new picture on the page.

    python3 course.py bench --sliders

Each notebook that has sliders is opened in JupyterLab, in headless Chromium, and run up to the
first; then its handle is moved with the arrow keys. Printed are milliseconds.
"""

import statistics
import tempfile
from pathlib import Path

from tools import lab_page
from tools.browser import chromium
from tools.notebook_files import published, read
from utils.sliders import WIDGET


def sliders(notebook):
    """Return the numbers, among all cells, of the cells that show sliders."""
    cells = enumerate(notebook.cells)
    return [
        number
        for number, cell in cells
        if any(WIDGET in output.get("data", {}) for output in cell.get("outputs", []))
    ]


def measure(page, server, path, number, moves):
    """Return the milliseconds of each move of the first slider in a cell of a notebook."""
    lab_page.open_notebook(page, server, path.stem)
    handle = lab_page.run_to(page, number)
    return [lab_page.move_slider(page, handle) for _ in range(moves)]


def main(moves=20):
    """Print one line for each cell with sliders: how long the answers to `moves` keys took."""
    found = {path: sliders(read(path)) for path in published()}
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        course = lab_page.copy_course(Path(folder) / "course")
        with lab_page.serving(course, "lab") as server:
            print(f"{'cell':40}{'moves':>7}{'median ms':>11}{'worst ms':>10}")
            for path, numbers in found.items():
                for number in numbers:
                    page = browser.new_page(viewport={"width": 1400, "height": 900})
                    times = measure(page, server, path, number, moves)
                    page.close()
                    cell = f"{path.stem[:2]} {read(path).cells[number].id}"
                    median = statistics.median(times)
                    print(f"{cell:40}{moves:7}{median:11.0f}{max(times):10.0f}")
