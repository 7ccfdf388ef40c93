// Goes to each slide of an open deck with all its steps; returns what is wrong, as sentences.
// `smallest`: pixels on the screen below which text cannot be read from the last row.
async (smallest) => {
  const NOT_SHOWN = "aside, script, mjx-container";
  const BOTTOM = 690; // of 720: the slide's number stands below
  const SIDE = 48;
  const wrong = [];
  const pictures = {};
  const cells = [];
  let seen = 0;

  const nameOf = (element) => element.closest(".jp-Cell").id.replace("cell-id=", "");

  const visible = (element) => {
    for (let e = element; e && e.tagName !== "SECTION"; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.display === "none" || style.visibility === "hidden") return false;
      if (style.opacity === "0") return false;
    }
    return true;
  };

  for (const slide of Reveal.getSlides()) {
    const { h, v } = Reveal.getIndices(slide);
    Reveal.slide(h, v, slide.querySelectorAll(".fragment").length - 1);
    if (Reveal.getCurrentSlide() === slide) seen += 1;

    const problems = new Set();
    const scale = Reveal.getScale();
    const room = slide.getBoundingClientRect();
    const outside = room.left < -1 || room.top < -1 || room.right > innerWidth + 1;
    if (outside || room.top + 720 * scale > innerHeight + 1) problems.add("is not on the screen");
    let high = 0;
    let wide = 0;
    const measure = (box) => {
      high = Math.max(high, box.bottom - (room.top + BOTTOM * scale));
      wide = Math.max(wide, box.right - (room.right - SIDE * scale));
      wide = Math.max(wide, room.left + SIDE * scale - box.left);
    };

    const words = document.createTreeWalker(slide, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
      const parent = words.currentNode.parentElement;
      const text = words.currentNode.data.trim();
      if (!text || parent.closest(NOT_SHOWN)) continue;
      const start = text.slice(0, 40);
      if (!visible(parent)) problems.add(`cannot be seen: ${start}`);
      const range = document.createRange();
      range.selectNodeContents(words.currentNode);
      for (const box of range.getClientRects()) measure(box);
      const size = parseFloat(getComputedStyle(parent).fontSize) * scale;
      if (size < smallest - 0.01) problems.add(`text of ${size.toFixed(1)} pixels: ${start}`);
      const source = /\$[^$]+\$|\\\(|\\\[|\\begin/.test(text);
      if (source && !parent.closest("pre, code")) problems.add(`mathematics is not typeset: ${start}`);
    }

    for (const box of slide.querySelectorAll("pre, table, .jp-Cell, .highlight, .jp-OutputArea")) {
      if (visible(box)) wide = Math.max(wide, (box.scrollWidth - box.clientWidth - 2) * scale);
    }

    for (const image of slide.querySelectorAll("img")) {
      const name = nameOf(image);
      pictures[name] = (pictures[name] || 0) + 1;
      try {
        await image.decode();
      } catch (error) {
        problems.add(`a figure is missing: ${name}`);
      }
      const box = image.getBoundingClientRect();
      measure(box);
      const tiny = box.width < 200 * scale || box.height < 40 * scale;
      if (tiny || !visible(image)) problems.add(`a figure is too small to be seen: ${name}`);
      const alternative = image.getAttribute("alt") || "";
      const none = alternative.length < 20 || alternative.startsWith("No description");
      if (none) problems.add(`a figure has no alternative: ${name}`);
    }

    for (const formula of slide.querySelectorAll("mjx-container")) {
      const drawn = formula.querySelector("svg");
      const box = drawn.getBoundingClientRect();
      // MathJax sets what it does not know in red.
      const wrong = drawn.querySelector('[fill="red"], [data-mml-node="merror"]');
      if (box.width > 2 && box.height > 2 && !wrong) measure(box);
      else problems.add(`mathematics is not typeset: ${formula.textContent.slice(0, 40)}`);
    }
    if (slide.querySelector("details")) problems.add("an answer is folded");
    if (high > 1) problems.add(`is ${Math.round(high / scale)} pixels too high`);
    if (wide > 1) problems.add(`is ${Math.round(wide / scale)} pixels too wide`);

    for (const cell of slide.querySelectorAll(".jp-Cell")) cells.push(nameOf(cell));
    const title = `${slide.dataset.title} (${slide.dataset.cell})`;
    for (const problem of problems) wrong.push(`${title}: ${problem}`);
  }
  return { wrong, pictures, cells, seen, slides: Reveal.getTotalSlides() };
};
