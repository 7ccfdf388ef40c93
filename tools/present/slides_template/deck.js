// Starts a deck: mathematics is set, each view gets the largest letters that fit, reveal.js begins.
// In a function, so that nothing but `deckReady` is left on the page.
(function () {
  "use strict";
  var WIDTH = 1280;
  var HEIGHT = 720;
  // From the most to the least that a view may take; nothing readable lies below the second.
  var SIZES = { "--text": [40, 24], "--code": [28, 20], "--figure": [1184, 480], "--air": [1, 0.4] };
  var OF_LOOK = {
    question: { "--text": [50, 28] },
    printed: { "--code": [40, 20] },
    "with-code": { "--text": [32, 23] },
    "with-figure": { "--text": [26, 22], "--code": [24, 20] },
  };
  var STEPS = 24;
  var started = false;

  window.MathJax = {
    tex: { inlineMath: [["$", "$"]], displayMath: [["$$", "$$"]] },
    svg: { displayAlign: "left", displayIndent: "1.5em" },
    options: { enableMenu: false },
    startup: {
      pageReady: function () {
        return window.MathJax.startup.defaultPageReady().then(start);
      },
    },
  };

  function sizesOf(view) {
    var sizes = Object.assign({}, SIZES);
    Object.keys(OF_LOOK).forEach(function (look) {
      if (view.classList.contains(look)) Object.assign(sizes, OF_LOOK[look]);
    });
    return sizes;
  }

  function size(view, sizes, step) {
    Object.keys(sizes).forEach(function (name) {
      var most = Math.max(sizes[name][0], sizes[name][1]);
      var value = most + ((sizes[name][1] - most) * step) / STEPS;
      view.style.setProperty(name, value + (name === "--air" ? "" : "px"));
    });
  }

  function fits(view) {
    return (
      view.scrollHeight <= view.clientHeight + 1 &&
      Array.from(view.querySelectorAll("pre, table")).every(function (piece) {
        return piece.scrollWidth <= piece.clientWidth + 1;
      })
    );
  }

  // The largest letters in which no line is too long: it need not shrink what stands around it.
  function limit(view, sizes) {
    size(view, sizes, 0);
    var most = sizes["--code"][0];
    view.querySelectorAll("pre").forEach(function (code) {
      if (code.scrollWidth <= code.clientWidth) return;
      most = Math.min(most, (0.995 * sizes["--code"][0] * code.clientWidth) / code.scrollWidth);
    });
    sizes["--code"] = [most, sizes["--code"][1]];
    view.querySelectorAll("mjx-container[display]").forEach(function (formula) {
      var share = formula.clientWidth / (formula.scrollWidth + 1);
      if (share < 1) formula.style.fontSize = Math.floor(99 * share) + "%";
    });
  }

  function fit(view) {
    var slide = view.closest("section");
    var sizes = sizesOf(view);
    slide.classList.add("measured");
    view.classList.add("measured");
    limit(view, sizes);
    var low = 0;
    var high = STEPS;
    while (low < high) {
      var middle = Math.floor((low + high) / 2);
      size(view, sizes, middle);
      if (fits(view)) high = middle;
      else low = middle + 1;
    }
    size(view, sizes, low);
    slide.classList.remove("measured");
    view.classList.remove("measured");
  }

  // On paper nothing takes turns: each view is a page.
  function spread() {
    document.querySelectorAll(".view.fragment").forEach(function (view) {
      var slide = view.closest("section");
      var page = slide.cloneNode(true);
      page.querySelectorAll(".view, aside").forEach(function (part) {
        part.remove();
      });
      page.querySelector(".stage").append(view);
      view.classList.remove("fragment");
      var last = slide;
      while (last.nextElementSibling && last.nextElementSibling.dataset.of === slide.dataset.cell) {
        last = last.nextElementSibling;
      }
      page.dataset.of = slide.dataset.cell;
      last.after(page);
    });
  }

  function start() {
    if (started) return;
    started = true;
    document.querySelectorAll(".view").forEach(fit);
    if (/print-pdf/i.test(window.location.search)) spread();
    window.Reveal.initialize({
      width: WIDTH,
      height: HEIGHT,
      margin: 0,
      maxScale: 8,
      center: false,
      controls: false,
      // One way through the talk: a clicker's or arrow's "next" shows every step.
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
