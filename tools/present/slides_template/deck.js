// Starts a deck: mathematics is set, each slide gets the largest letters that fit, reveal.js begins.
// In a function, so that nothing but `deckReady` is left on the page.
(function () {
  "use strict";
  var WIDTH = 1280;
  var HEIGHT = 720;
  // From the most to the least that a slide may take; nothing readable lies below the second.
  var SIZES = { "--text": [32, 20, "px"], "--code": [24, 16, "px"], "--figure": [1.7, 1.22, ""], "--air": [1, 0.4, ""] };
  var STEPS = 16;
  var started = false;

  window.MathJax = {
    tex: { inlineMath: [["$", "$"]], displayMath: [["$$", "$$"]] },
    svg: { displayAlign: "left", displayIndent: "2em" },
    options: { enableMenu: false },
    startup: {
      pageReady: function () {
        return window.MathJax.startup.defaultPageReady().then(start);
      },
    },
  };

  // A long list of short lines reads better in two columns than in small letters.
  function lay(output) {
    var lines = output.textContent.trim().split("\n");
    var longest = Math.max.apply(
      null,
      lines.map(function (line) {
        return line.length;
      })
    );
    if (lines.length >= 14 && longest <= 46) output.classList.add("two-columns");
  }

  function size(slide, step, limits) {
    Object.keys(SIZES).forEach(function (name) {
      var most = SIZES[name][0];
      var least = SIZES[name][1];
      var value = most + ((least - most) * step) / STEPS;
      if (name in limits) value = Math.max(least, Math.min(value, limits[name]));
      slide.style.setProperty(name, value + SIZES[name][2]);
    });
  }

  function fits(slide) {
    return (
      slide.scrollHeight <= HEIGHT &&
      Array.from(slide.querySelectorAll("table, .jp-Cell")).every(function (piece) {
        return piece.scrollWidth <= piece.clientWidth + 1;
      })
    );
  }

  // The largest size whose longest line fits: a long line need not shrink what stands around it.
  function widest(slide, name, pieces) {
    var sizes = Array.from(slide.querySelectorAll(pieces)).map(function (piece) {
      if (piece.scrollWidth <= piece.clientWidth) return Infinity;
      return (0.99 * SIZES[name][0] * piece.clientWidth) / piece.scrollWidth;
    });
    return Math.min.apply(null, [Infinity].concat(sizes));
  }

  function fit(slide) {
    slide.classList.add("measured");
    slide.parentElement.classList.add("measured");
    size(slide, 0, {});
    var limits = {
      "--code": widest(slide, "--code", "pre"),
      "--text": widest(slide, "--text", ".jp-MarkdownCell"),
    };
    var low = 0;
    var high = STEPS;
    while (low < high) {
      var middle = Math.floor((low + high) / 2);
      size(slide, middle, limits);
      if (fits(slide)) high = middle;
      else low = middle + 1;
    }
    size(slide, low, limits);
    slide.classList.remove("measured");
    slide.parentElement.classList.remove("measured");
  }

  function start() {
    if (started) return;
    started = true;
    document.querySelectorAll(".jp-RenderedText pre").forEach(lay);
    document.querySelectorAll(".slides > section > section").forEach(fit);
    window.Reveal.initialize({
      width: WIDTH,
      height: HEIGHT,
      margin: 0,
      maxScale: 8,
      center: false,
      controls: false,
      // One way through the talk: a clicker's or arrow's "next" shows every slide.
      navigationMode: "linear",
      hash: true,
      slideNumber: "c/t",
      transition: "none",
      backgroundTransition: "none",
      pdfSeparateFragments: false,
      plugins: [window.RevealNotes],
    }).then(function () {
      window.deckReady = true;
    });
  }

  // A clicker sends these, and turns the slide also when a slider was moved last.
  document.addEventListener(
    "keydown",
    function (event) {
      var turns = event.key === "PageDown" || event.key === "PageUp";
      if (turns && event.target.matches(".live-controls input")) event.target.blur();
    },
    true
  );

  // Without mathematics a talk is still a talk.
  window.addEventListener("load", function () {
    window.setTimeout(start, 10000);
  });
})();
