"""Live figures on an open page or deck, moved as a reader does with the keyboard alone."""

# A live figure as it is now; its picture has to be there.
STATE = """async (box) => {
  const follows = (image) => box.compareDocumentPosition(image) & Node.DOCUMENT_POSITION_FOLLOWING;
  const image = [...document.images].find(follows);
  if (!image.hidden) await image.decode();
  const sliders = [...box.querySelectorAll("input")];
  return {
    picture: image.hidden ? "" : image.src,
    alternative: image.alt,
    values: sliders.map((slider) => Number(slider.value)),
    read: sliders.map((slider) => slider.getAttribute("aria-valuetext")),
    shown: [...box.querySelectorAll("output")].map((output) => output.textContent),
    said: box.nextElementSibling.textContent,
  };
}"""
AT_REST = """(box) => {
  const slider = box.querySelector("input");
  return box.querySelector("button").textContent === "Play" && slider.value === slider.max;
}"""


def state(box):
    """Return a live figure as it is now.

    Args:
        box: locator of its controls.

    Returns:
        dict: "picture" (its address, an empty text where there is none), "alternative", of each
        slider "values" (indices), "read" and "shown" (texts), and "said" to who cannot see.
    """
    return box.evaluate(STATE)


def walked(slider, box):
    """Move one slider to its start and, step by step, to its end; return what the figure is."""
    slider.press("End")  # from wherever it stands, this or the next is a move
    slider.press("Home")
    states = [state(box)]
    for _ in range(int(slider.get_attribute("max"))):
        slider.press("ArrowRight")
        states.append(state(box))
    slider.press("ArrowRight")  # there is nothing beyond
    assert state(box) == states[-1]
    return states


def check_moves(box):
    """Assert that each slider reaches both ends, and that each step shows and says another figure.

    Returns:
        the pictures that were seen.
    """
    seen = set()
    sliders = box.locator("input").all()
    assert sliders
    for number, slider in enumerate(sliders):
        states = walked(slider, box)
        assert [each["values"][number] for each in states] == list(range(len(states)))
        for before, after in zip(states, states[1:], strict=False):
            assert before["picture"] != after["picture"], after
            assert before["alternative"] != after["alternative"], after
        for each in states:
            assert each["read"] == each["shown"]
            assert each["said"] == each["alternative"] and len(each["said"]) > 20
        seen |= {each["picture"] for each in states}
    return seen


def check_plays(box):
    """Assert that a figure plays to its end and stops, begins again from there, and can be halted.

    It begins shortly before its end, so that nobody waits.
    """
    slider, button = box.locator("input").first, box.locator("button")
    slider.press("End")
    end = state(box)
    slider.press("ArrowLeft")
    slider.press("ArrowLeft")
    assert button.inner_text() == "Play"
    button.press("Enter")
    assert button.inner_text() == "Pause"
    box.page.wait_for_function(AT_REST, arg=box.element_handle())
    assert state(box) == end  # its description is said, too
    button.press("Space")
    assert button.inner_text() == "Pause" and state(box)["values"][0] == 0
    assert state(box)["said"] == ""  # not each picture while it plays
    button.press("Space")
    assert button.inner_text() == "Play"
    halted = state(box)
    assert halted["said"] == halted["alternative"]
