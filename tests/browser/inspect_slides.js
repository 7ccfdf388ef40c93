// Goes to each view of an open deck with all its steps; returns what is wrong, as sentences, and
// what was measured. `smallest`: pixels on the screen below which text cannot be read from the
// last row.
async (smallest) => {
  const NOT_SHOWN = "aside, script, mjx-container";
  const BOTTOM = 692; // of 720: the slide's number stands below
  const SIDE = 40;
  const wrong = [];
  const pictures = {};
  const cells = [];
  const views = [];
  let seen = 0;

  const nameOf = (element) => element.closest(".piece").dataset.cell;

  const visible = (element) => {
    for (let e = element; e && e.tagName !== "SECTION"; e = e.parentElement) {
      const style = getComputedStyle(e);
      if (style.display === "none" || style.visibility === "hidden") return false;
      if (style.opacity === "0") return false;
    }
    return true;
  };

  const textsIn = (part) => {
    const texts = [];
    const words = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    while (words.nextNode()) {
      const parent = words.currentNode.parentElement;
      const text = words.currentNode.data.trim();
      if (text && !parent.closest(NOT_SHOWN)) texts.push([text, parent, words.currentNode]);
    }
    return texts;
  };

  const inspect = async (slide, view) => {
    const problems = new Set();
    const scale = Reveal.getScale();
    const room = slide.getBoundingClientRect();
    const outside = room.left < -1 || room.top < -1 || room.right > innerWidth + 1;
    if (outside || room.top + 720 * scale > innerHeight + 1) problems.add("is not on the screen");
    const found = { words: 0, code: null, text: null, figure: null, widest: false };
    let high = 0;
    let wide = 0;
    const measure = (box) => {
      high = Math.max(high, box.bottom - (room.top + BOTTOM * scale), room.top - box.top);
      wide = Math.max(wide, box.right - (room.right - SIDE * scale));
      wide = Math.max(wide, room.left + SIDE * scale - box.left);
    };

    const bar = slide.querySelector(".bar");
    for (const [text, parent, node] of [...(bar ? textsIn(bar) : []), ...textsIn(view)]) {
      const start = text.slice(0, 40);
      if (!visible(parent)) problems.add(`cannot be seen: ${start}`);
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) measure(box);
      const size = parseFloat(getComputedStyle(parent).fontSize) * scale;
      if (size < smallest - 0.01) problems.add(`text of ${size.toFixed(1)} pixels: ${start}`);
      const source = /\$[^$]+\$|\\\(|\\\[|\\begin/.test(text);
      if (source && !parent.closest("pre, code")) problems.add(`mathematics is not typeset: ${start}`);
      if (parent.closest("pre")) found.code = Math.min(found.code || 99, size / scale);
      else if (view.contains(parent)) found.words += text.split(/\s+/).length;
    }

    for (const box of view.querySelectorAll("pre, table")) {
      wide = Math.max(wide, (box.scrollWidth - box.clientWidth - 2) * scale);
    }

    for (const image of view.querySelectorAll("img")) {
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
      found.figure = (box.width * box.height) / (1280 * 720 * scale * scale);
      found.widest = box.width >= 1180 * scale;
      const drawn = image.naturalWidth * (/\.svg$/.test(image.src) ? Infinity : 1);
      found.sharp = drawn >= (1.5 * box.width) / scale;
    }

    for (const formula of view.querySelectorAll("mjx-container")) {
      const drawn = formula.querySelector("svg");
      const box = drawn.getBoundingClientRect();
      // MathJax sets what it does not know in red.
      const unknown = drawn.querySelector('[fill="red"], [data-mml-node="merror"]');
      if (box.width > 2 && box.height > 2 && !unknown) measure(box);
      else problems.add(`mathematics is not typeset: ${formula.textContent.slice(0, 40)}`);
    }
    if (view.querySelector("details")) problems.add("an answer is folded");
    if (high > 1) problems.add(`is ${Math.round(high / scale)} pixels too high`);
    if (wide > 1) problems.add(`is ${Math.round(wide / scale)} pixels too wide`);

    for (const piece of view.querySelectorAll(".piece")) {
      if (cells.at(-1) !== nameOf(piece)) cells.push(nameOf(piece));
    }
    const piece = view.querySelector(".piece") || slide;
    const title = `${slide.dataset.title} (${piece.dataset.cell})`;
    for (const problem of problems) wrong.push(`${title}: ${problem}`);
    views.push({ cell: piece.dataset.cell, ...found });
  };

  for (const slide of Reveal.getSlides()) {
    const { h, v } = Reveal.getIndices(slide);
    const steps = [...slide.querySelectorAll(".fragment")];
    for (const view of slide.querySelectorAll(".view")) {
      Reveal.slide(h, v, steps.findLastIndex((step) => step === view || view.contains(step)));
      const shown = [...slide.querySelectorAll(".view")].filter(visible);
      if (Reveal.getCurrentSlide() === slide && shown.length === 1 && shown[0] === view) seen += 1;
      await inspect(slide, view);
    }
  }
  const slides = Reveal.getSlides();
  return {
    wrong, pictures, cells, views, seen,
    slides: slides.length,
    noted: slides.filter((slide) => slide.querySelector("aside.notes")).length,
  };
};
