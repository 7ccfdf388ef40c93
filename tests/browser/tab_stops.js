// Notes what the keyboard must reach on an open page; then tells where it is.
() => {
  const looks = (element) => {
    const { outline, boxShadow, backgroundColor, borderColor } = getComputedStyle(element);
    return [outline, boxShadow, backgroundColor, borderColor].join();
  };
  const scrolls = (element) =>
    ["auto", "scroll"].includes(getComputedStyle(element).overflowX) &&
    element.scrollWidth > element.clientWidth + 1;
  const stops = [...document.body.querySelectorAll("*")].filter((element) => {
    const works = element.matches("a[href], button, input, summary, [tabindex='0']");
    return element.checkVisibility({ visibilityProperty: true }) && (works || scrolls(element));
  });
  const before = new Map(stops.map((element) => [element, looks(element)]));
  const missed = new Set(stops);
  const hidden = new Set(); // the last stop is seen twice where the focus is slow to leave the page
  const say = (element) =>
    `${element.tagName.toLowerCase()} ${element.getAttribute("aria-label") || element.textContent.trim().slice(0, 40)}`;

  window.tabStops = {
    // Notes the element that has the focus; returns whether there is one.
    visit() {
      const element = document.activeElement;
      if (element === document.body) return false;
      missed.delete(element);
      if (before.get(element) === looks(element)) hidden.add(element);
      return true;
    },
    found: () => ({ missed: [...missed].map(say), hidden: [...hidden].map(say), stops: stops.length }),
  };
};
