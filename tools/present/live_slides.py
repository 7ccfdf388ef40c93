"""Present a notebook live: slides in JupyterLab whose cells run.

    python3 course.py present [NN]

The presenter's copies lie in live/ among the student's, in work/live/ as a rule. Each start lays
fresh ones, without outputs, so that the room predicts before it sees; a copy that the presenter has
edited stays as it is. JupyterLab is served from that folder, with settings of its own: a
presenter's lab and a student's do not mix.
"""

import copy
import hashlib
import json
import sys

from tools import lab
from tools.notebooks.files import caption_figures, code_cells, published, read, tags, write
from tools.present import code_lines
from tools.present.slides import lay_out_words, slide_type
from tools.setup import workspace
from tools.setup.console import guarded, say
from utils.folders import work_folder

KEPT = ".jupyter"  # in the folder of the copies: what JupyterLab keeps while presenting
SET_UP = "setup"
# Of a cell, what running it or looking at it may change.
NOT_EDITED = {"outputs", "execution_count"}
NOT_EDITED_METADATA = {"jupyter", "collapsed", "scrolled", "execution", "trusted", "editable"}

# How the slides look. Letters grow with the window's height, as far as code_lines.WIDTH of them and
# two to spare fit into its width.
STYLES = {
    ".jp-Deck": {
        "--jp-code-font-size": "min(3.32vh, 1.868vw)",
        "--jp-code-line-height": "1.25",
        "--jp-content-font-size1": "min(3.7vh, 2.1vw)",
        "--jp-content-font-size2": "calc(1.15 * var(--jp-content-font-size1))",
        "--jp-content-font-size3": "calc(1.3 * var(--jp-content-font-size1))",
        "--jp-content-font-size4": "calc(1.45 * var(--jp-content-font-size1))",
        "--jp-content-font-size5": "calc(1.75 * var(--jp-content-font-size1))",
        "--jp-content-line-height": "1.4",
        "--jp-ui-font-size1": "var(--jp-code-font-size)",
        "--jp-widgets-font-size": "var(--jp-code-font-size)",
        "--jp-widgets-inline-height": "calc(1.7 * var(--jp-code-font-size))",
    },
    "body[data-jp-deck-mode='presenting'] .jp-SideBar": {"display": "none"},
    ".jp-Deck.jp-NotebookPanel": {
        "place-content": "start",
        "padding-top": "2vh",
        "left": "0",
        "right": "0",
    },
    ".jp-Deck .jp-WindowedPanel-viewport": {"padding": "4px"},
    ".jp-Deck .jp-Notebook": {"max-height": "98vh"},
    # What grows when a cell is run stays in sight: the code gives way, and what is above scrolls.
    ".jp-Deck .jp-Notebook .jp-WindowedPanel-outer": {"scroll-snap-type": "y mandatory"},
    ".jp-Deck .jp-Cell.jp-mod-active": {"scroll-snap-align": "end"},
    ".jp-Deck .jp-Cell.jp-deck-mod-onscreen": {"margin-bottom": "1.2vh", "padding": "0"},
    ".jp-Deck .jp-CodeCell.jp-deck-mod-onscreen": {
        "display": "flex",
        "flex-direction": "column",
        "max-height": "96vh",
    },
    ".jp-Deck .jp-CodeCell .jp-Cell-inputWrapper": {"flex": "0 1 auto", "overflow-y": "auto"},
    ".jp-Deck .jp-CodeCell .jp-Cell-outputWrapper": {
        "flex": "0 0 auto",
        "max-height": "80vh",
        "overflow-y": "auto",
    },
    # Of folded code a line is left, so there is more room.
    ".jp-Deck .jp-CodeCell:has(.jp-Placeholder) .jp-Cell-outputWrapper": {"max-height": "90vh"},
    # Of an output that does not fit, the end is in sight: the figure below ten progress bars.
    ".jp-Deck .jp-Cell-outputArea": {"scroll-snap-type": "y mandatory"},
    ".jp-Deck .jp-OutputArea-child:nth-last-child(1 of .jp-OutputArea-child)": {
        "scroll-snap-align": "end",
    },
    ".jp-Deck .jp-OutputArea img": {
        "width": "auto",
        "height": "56vh",
        "max-width": "100%",
        "object-fit": "contain",
        "object-position": "left",
    },
    # Below a button and two sliders. The sliders' names, numbers and choices are not cut.
    ".jp-Deck .live img": {"height": "50vh"},
    ".jp-Deck .live .widget-inline-hbox": {
        "width": "calc(34 * var(--jp-code-font-size)) !important",
    },
    ".jp-Deck .live .widget-label": {"width": "auto !important", "min-width": "8em"},
    ".jp-Deck .live .widget-readout": {"min-width": "9em", "overflow": "visible"},
    # The playground has eight controls above its figure: two in a row.
    ".jp-Deck .live .widget-hbox": {"column-gap": "var(--jp-code-font-size)"},
    ".jp-Deck .live .widget-hbox .widget-inline-hbox": {
        "width": "calc(24 * var(--jp-code-font-size)) !important",
    },
    ".jp-Deck .live .widget-hbox .widget-readout": {"min-width": "2em"},
    ".jp-Deck .live .widget-hbox .jupyter-button": {"width": "auto !important"},
    ".jp-Deck .live .widget-html": {"width": "auto !important"},
    ".jp-Deck .noUi-handle": {"background": "var(--jp-brand-color1)"},
    # Whoever leaves the slides sees no answer before its turn either, but those that are clicked.
    "body:not([data-jp-deck-mode]) .jp-Cell:not(.jp-mod-active) .answer": {"visibility": "hidden"},
    ".jp-Deck .jp-InternalAnchorLink": {"display": "none"},
    # It would lie unseen over the slide's first lines, and take the clicks.
    ".jp-Deck .jp-NotebookPanel-toolbar": {"display": "none"},
    ".jp-Deck-DesignTools": {"display": "none"},
    # The arrows stand in the margin, one below the other; over nothing that is to be read.
    ".jp-Deck-Remote": {"opacity": "0.4", "width": "var(--jp-private-sidebar-tab-width)"},
    ".jp-Deck-Remote .jp-Deck-Remote-directions > div": {"flex-direction": "column"},
    ".jp-Deck-Remote .jp-Deck-Remote-WidgetStack": {"display": "none"},
}
# Where keys are pressed: with nothing yet clicked, with a cell marked, in the code of a cell.
NOWHERE = "body[data-jp-deck-mode='presenting']:not(:focus-within)"
ON_SLIDE = ".jp-Deck .jp-Notebook.jp-mod-commandMode:not(.jp-mod-readWrite) :focus"
IN_CODE = ".jp-Deck .jp-Notebook.jp-mod-editMode"
ON = {"command": "deck:go", "args": {"direction": "down", "alternate": "forward"}}
BACK = {"command": "deck:go", "args": {"direction": "up", "alternate": "back"}}
RUN = {"command": "notebook:run-cell"}
# A presenter's remote sends Page Down and Page Up. Shift-Enter would run the cell and turn to the
# next slide before its output is seen.
SHORTCUTS = [
    {**what, "keys": [key], "selector": where}
    for what, keys, places in [
        (ON, ["PageDown", "Space"], [NOWHERE, ON_SLIDE]),
        (BACK, ["PageUp", "Shift Space"], [NOWHERE, ON_SLIDE]),
        (RUN, ["Accel Enter", "Shift Enter"], [NOWHERE, ON_SLIDE, IN_CODE]),
    ]
    for key in keys
    for where in places
]
SETTINGS = {
    **lab.LAB_SETTINGS,
    "@jupyterlab/shortcuts-extension:shortcuts": {"shortcuts": SHORTCUTS},
    "jupyterlab-slideshow:plugin": {"active": True},
    # The slides switch to this as they begin, and JupyterLab reports errors of its own about it.
    "@jupyterlab/notebook-extension:tracker": {
        "windowingMode": "none",
        "codeCellConfig": {"lineWrap": True},  # what no formatter can break
    },
    "@deathbeds/jupyterlab-fonts:fonts": {"styles": STYLES},
}


# -------------------------------------------------------------------------------- the copies
def live(notebook):
    """Return the presenter's copy of a notebook: no outputs, answers unfolded, a set-up to run."""
    shown = copy.deepcopy(notebook)
    captions = caption_figures(shown)
    code = code_lines.broken({cell.id: cell.source for cell in code_cells(shown)})
    for cell in shown.cells:
        cell.metadata.setdefault("tags", [])
        kind = "-" if cell.id == SET_UP else slide_type(cell)  # it has to run, so it has to be seen
        cell.metadata.pop("slideshow", None)
        if kind != "-":  # which says nothing, and would hide the cell from jupyterlab-slideshow
            cell.metadata.slideshow = {"slide_type": kind}
        if cell.cell_type == "markdown":
            lay_out_words(cell, captions.get(cell.id, ""))
            if "answer" in tags(cell):
                cell.source = f'<div class="answer">\n\n{cell.source}\n\n</div>'
        elif cell.cell_type == "code":
            cell.source = code[cell.id]
            cell.outputs, cell.execution_count = [], None
            if cell.id == SET_UP or "slide-hide-code" in tags(cell):
                cell.metadata.jupyter = {"source_hidden": True}
    shown.metadata.course = {"laid": fingerprint(shown)}
    return shown


def fingerprint(notebook):
    """Return the sha256 of all that a presenter edits in a notebook: not of what runs change."""
    cells = []
    for cell in notebook.cells:
        kept = {key: value for key, value in cell.items() if key not in NOT_EDITED}
        metadata = kept["metadata"].items()
        kept["metadata"] = {k: v for k, v in metadata if k not in NOT_EDITED_METADATA}
        cells.append(kept)
    return hashlib.sha256(json.dumps(cells, sort_keys=True).encode("utf-8")).hexdigest()


def lay_copies(folder):
    """Lay fresh copies, but leave those that are edited. Return sentences about these."""
    return [sentence for path in published() if (sentence := lay(path, folder / path.name))]


def lay(path, target):
    """Lay the copy of a notebook. Return a sentence if it is edited, and left alone."""
    fresh = live(read(path))
    if target.exists():
        try:
            there = read(target)
            edited = laid(there) != fingerprint(there)
            newer = laid(there) != laid(fresh)
        except Exception:  # it is no notebook, so it is somebody's own file
            edited = newer = True
        if edited:
            found = f"{workspace.shown(target)} is as you have edited it"
            new = ", and there is a newer one: to get it, rename yours and start again"
            return f"{found}{new if newer else ''}."
    write(fresh, target)
    return None


def laid(notebook):
    """Return the fingerprint with which a copy was laid, None if it is none of ours."""
    return notebook.metadata.get("course", {}).get("laid")


# ------------------------------------------------------------------------------ the presentation
def lay_settings(folder):
    """Lay the settings of live mode; return JupyterLab's options that make it use them."""
    kept = folder / KEPT
    kept.mkdir(parents=True, exist_ok=True)
    text = json.dumps(SETTINGS, indent=1) + "\n"
    workspace.write_whole(kept / "overrides.json", text.encode("utf-8"))
    # Whoever left the slides before the end would otherwise begin outside them, and whoever
    # presented another notebook would for some seconds see that.
    (kept / "user" / "jupyterlab-slideshow" / "plugin.jupyterlab-settings").unlink(missing_ok=True)
    for page in (kept / "pages").glob("*.jupyterlab-workspace"):
        page.unlink()
    folders = {"app_settings": kept, "user_settings": kept / "user", "workspaces": kept / "pages"}
    return [f"--LabApp.{name}_dir={path}" for name, path in folders.items()]


def main():
    """Open a notebook as live slides."""
    parser = lab.make_parser("present", __doc__)
    parser.add_argument("notebook", help="a number or a name: 01")
    parser.add_argument("rest", nargs="*", help="options of JupyterLab, after --")
    options = parser.parse_args()
    page = f"lab/tree/{workspace.find(options.notebook)}"
    work = work_folder()
    folder = work / "live"
    server = lab.running_server(folder) if folder.is_dir() else None
    if server:
        lay_settings(folder)
        lab.show(page, server, options)
        say("What has run there is still shown. To begin afresh, stop that JupyterLab first.")
        return 0
    workspace.made(work)
    for sentence in lay_copies(folder):
        say(sentence)
    more = lay_settings(folder)
    say("Click into the first slide. Then Space goes on, and Ctrl-Enter runs the marked cell.")
    lab.start(folder, page, options, more)
    say(f"JupyterLab has stopped. What you have edited is kept in {workspace.shown(folder)}.")
    return 0


if __name__ == "__main__":
    sys.exit(guarded(main))
