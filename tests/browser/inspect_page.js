// Unfolds all answers of an open page and looks at it; returns what is wrong, as sentences.
async () => {
  const wrong = [];
  for (const answer of document.querySelectorAll("main details")) answer.open = true;

  for (const image of document.images) {
    const name = image.getAttribute("src").split("/").pop().slice(0, 20);
    try {
      await image.decode();
    } catch (error) {
      wrong.push(`a picture is missing: ${name}`);
    }
    if ((image.getAttribute("alt") || "").length < 20) wrong.push(`a picture has no alternative: ${name}`);
    const box = image.getBoundingClientRect();
    const narrow = box.width < 0.99 * Math.min(image.naturalWidth, 300);
    if (narrow || box.height < 40) wrong.push(`a picture is too small to be seen: ${name}`);
    const stretched = box.width / box.height / (image.naturalWidth / image.naturalHeight);
    if (Math.abs(stretched - 1) > 0.03) wrong.push(`a picture is stretched: ${name}`);
  }

  for (const formula of document.querySelectorAll(".math")) {
    const drawn = formula.querySelector("svg");
    const box = drawn && drawn.getBoundingClientRect();
    // MathJax sets what it does not know in red.
    const unknown = drawn && drawn.querySelector('[fill="red"], [data-mml-node="merror"]');
    const good = box && box.width > 2 && box.height > 2 && !unknown;
    if (!good) wrong.push(`mathematics is not typeset: ${formula.textContent.slice(0, 40)}`);
    else if ((1000 * box.width) / drawn.viewBox.baseVal.width < 12) {
      wrong.push(`mathematics is too small: ${formula.textContent.slice(0, 40)}`);
    }
  }

  const words = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
  while (words.nextNode()) {
    const inside = words.currentNode.parentElement.closest("pre, code, script, .math");
    if (!inside && /\$[^$]+\$|\\\(|\\begin\{/.test(words.currentNode.data)) {
      wrong.push(`mathematics is not typeset: ${words.currentNode.data.trim().slice(0, 40)}`);
    }
  }

  const room = document.documentElement.clientWidth;
  const width = document.documentElement.scrollWidth;
  if (width > room) wrong.push(`the page is ${width - room} pixels too wide`);
  for (const piece of document.querySelectorAll("main *")) {
    const hides = ["hidden", "clip"].includes(getComputedStyle(piece).overflowX);
    const helper = piece.closest("mjx-assistive-mml");
    if (hides && !helper && piece.scrollWidth > piece.clientWidth + 1) {
      wrong.push(`is cut off: ${piece.textContent.trim().slice(0, 40)}`);
    }
  }
  return wrong;
};
