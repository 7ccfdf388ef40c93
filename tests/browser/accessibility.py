"""axe-core on an open page: what would shut out somebody with a keyboard, a reader, weak eyes."""

import pytest

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async ([rules, part]) => {
  // Code in looks that were there before is left out: thousands of words take most of the time.
  // Of the size of letters, contrast rules only ask whether they are large.
  const looks = new Set();
  for (const code of document.querySelectorAll("pre")) {
    const before = looks.size;
    for (const word of [code, ...code.querySelectorAll("span")]) {
      const { color, fontSize, fontWeight } = getComputedStyle(word);
      const large = parseFloat(fontSize) >= (fontWeight >= 700 ? 18.66 : 24);
      const grounds = [code, code.parentElement, code.parentElement.parentElement, word];
      const colours = grounds.map((element) => getComputedStyle(element).backgroundColor);
      looks.add([color, large, ...colours].join());
    }
    code.toggleAttribute("data-seen", looks.size === before);
  }
  // Style sheets are not loaded once more: from a file the browser would refuse that.
  const options = { runOnly: rules, resultTypes: ["violations"], preload: false };
  const parts = { include: [part], exclude: ["pre[data-seen]"] };
  const { violations } = await axe.run(parts, options);
  return violations.flatMap(({ id, impact, help, nodes }) =>
    nodes.map(({ target, any, all, none }) => {
      const reason = [...any, ...all, ...none].map((check) => check.message)[0] || help;
      return `${id} (${impact}) at ${target.join(" ")}: ${reason}`;
    })
  );
}"""


def violations(page, rules=RULES, part="html"):
    """Return what axe-core finds on an open page, as it is now, one text for each place.

    Args:
        page: an open page; hidden parts are not looked at, nor code that looks like other code.
        rules: names of axe-core's rules, or of groups of them.
        part: selector of what is looked at.
    """
    axe = pytest.importorskip(
        "axe_playwright_python.base", reason="axe-core is missing (see tools/requirements.txt)"
    )
    if not page.evaluate("window.axe !== undefined"):
        page.evaluate(axe.AXE_SCRIPT)
    return page.evaluate(RUN, [rules, part])
