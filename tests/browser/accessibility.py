"""axe-core on an open page: what would shut out somebody with a keyboard, a reader, weak eyes."""

import pytest

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = """async ({ context, rules, without }) => {
  // Code in looks that were there before is left out: thousands of words take most of the time.
  const looks = new Set();
  for (const code of document.querySelectorAll("pre")) {
    const before = looks.size;
    for (const word of [code, ...code.querySelectorAll("span")]) {
      const { color, fontSize, fontWeight } = getComputedStyle(word);
      const grounds = [code, code.parentElement, code.parentElement.parentElement, word];
      const colours = grounds.map((element) => getComputedStyle(element).backgroundColor);
      looks.add([color, fontSize, fontWeight, ...colours].join());
    }
    code.toggleAttribute("data-seen", looks.size === before);
  }
  const off = Object.fromEntries(without.map((rule) => [rule, { enabled: false }]));
  // Style sheets are not loaded once more: from a file the browser would refuse that.
  const options = { runOnly: rules, rules: off, resultTypes: ["violations"], preload: false };
  const parts = { include: [context || "html"], exclude: ["pre[data-seen]"] };
  const { violations } = await axe.run(parts, options);
  return violations.flatMap(({ id, impact, help, nodes }) =>
    nodes.map(({ target, any, all, none }) => {
      const reason = [...any, ...all, ...none].map((check) => check.message)[0] || help;
      return `${id} (${impact}) at ${target.join(" ")}: ${reason}`;
    })
  );
}"""


def violations(page, context=None, without=()):
    """Return what axe-core finds on an open page, as it is now, one text for each place.

    Args:
        page: an open page; hidden parts are not looked at, nor code that looks like other code.
        context: a selector of the part to look at; by default all of the page.
        without: names of rules that do not hold here, with the reason where it is called.
    """
    axe = pytest.importorskip(
        "axe_playwright_python.base", reason="axe-core is missing (see tools/requirements.txt)"
    )
    if not page.evaluate("window.axe !== undefined"):
        page.evaluate(axe.AXE_SCRIPT)
    return page.evaluate(RUN, {"context": context, "rules": RULES, "without": list(without)})
