// Lets live figures move where no kernel runs: on pages and slides, with pictures drawn beforehand.
// tools/present/frames.py lays what is known of a figure as JSON before its picture.
(function () {
  "use strict";
  var INTERVAL = 250; // milliseconds from picture to picture, as in the notebook
  var figures = 0;

  function make(tag, about, text) {
    var element = document.createElement(tag);
    Object.keys(about).forEach(function (name) {
      element.setAttribute(name, about[name]);
    });
    element.textContent = text || "";
    return element;
  }

  // Widths are set, or what stands beside would shake, and sliders below each other be ragged.
  function widen(element, texts) {
    var letters = texts.map(function (text) {
      return text.length;
    });
    element.style.minWidth = Math.max.apply(null, letters) + "ch";
  }

  // One slider with its name and its value; `move` is called with true at the end of a movement.
  function slider(about, names, id, move) {
    var last = about.values.length - 1;
    var range = make("input", { type: "range", id: id, min: 0, max: last, step: 1 });
    var value = make("output", { for: id, "aria-live": "off" });
    var box = make("div", { class: "live-slider" });
    var label = make("label", { for: id }, about.name);
    widen(label, names);
    widen(value, about.values);
    box.append(label, range, value);

    function set(index) {
      range.value = index;
      value.textContent = about.values[index];
      range.setAttribute("aria-valuetext", about.values[index]);
    }

    ["input", "change"].forEach(function (kind) {
      range.addEventListener(kind, function () {
        set(range.value);
        move(kind === "change");
      });
    });
    set(about.start);
    return { box: box, range: range, last: last, set: set };
  }

  function build(source) {
    var figure = JSON.parse(source.textContent);
    var images = Array.from(document.images);
    var image = images.find(function (each) {
      return source.compareDocumentPosition(each) & Node.DOCUMENT_POSITION_FOLLOWING;
    });
    var link = image.closest("a");
    var id = "live-" + (figures += 1);
    var box = make("div", {
      class: "live-controls",
      role: "group",
      "aria-label": "Controls of the figure",
      "data-prevent-swipe": "", // touching a slider does not turn the slide
    });
    var said = make("p", { class: "live-said", "aria-live": "polite" });
    var failed = make("p", { class: "live-failed", hidden: "" });
    var fetched = [];
    var timer = null;

    function addressOf(frame) {
      return figure.place + "/" + frame.picture;
    }

    function show() {
      var frame = figure.frames[
        sliders.reduce(function (before, each) {
          return before * (each.last + 1) + Number(each.range.value);
        }, 0)
      ];
      var wrong = frame.error || "";
      if (wrong && !image.hidden) failed.style.minHeight = image.offsetHeight + "px";
      image.hidden = Boolean(wrong);
      failed.hidden = !wrong;
      failed.textContent = wrong;
      if (!wrong) {
        image.src = addressOf(frame);
        image.alt = frame.alt;
        if (link) link.href = image.src;
      }
      return wrong || frame.alt;
    }

    // Before the first move, so that no move has to wait.
    function fetchAll() {
      if (fetched.length) return;
      fetched = figure.frames.map(function (frame) {
        var picture = new Image();
        if (frame.picture) picture.src = addressOf(frame);
        return picture;
      });
    }

    var names = figure.controls.map(function (about) {
      return about.name;
    });
    var sliders = figure.controls.map(function (about, number) {
      return slider(about, names, id + "-" + number, function (ended) {
        if (number === 0) stop();
        var words = show();
        if (ended) said.textContent = words;
      });
    });
    var first = sliders[0];

    function stop() {
      if (timer === null) return;
      window.clearInterval(timer);
      timer = null;
      button.textContent = "Play";
    }

    function step(index) {
      first.set(index);
      var words = show();
      if (index < first.last) return;
      stop();
      said.textContent = words;
    }

    var button = make("button", { type: "button" }, "Play");
    button.addEventListener("click", function () {
      if (timer !== null) {
        stop();
        said.textContent = show();
        return;
      }
      said.textContent = "";
      button.textContent = "Pause";
      timer = window.setInterval(function () {
        step(Number(first.range.value) + 1);
      }, INTERVAL);
      if (Number(first.range.value) === first.last) step(0);
    });
    button.addEventListener("keydown", function (event) {
      if (event.key === " " || event.key === "Enter") event.stopPropagation(); // not the next slide
    });

    if (figure.play) box.append(button);
    sliders.forEach(function (each) {
      box.append(each.box);
    });
    ["pointerenter", "pointerdown", "focusin"].forEach(function (kind) {
      box.addEventListener(kind, fetchAll);
    });
    box.style.setProperty("--width", figure.width);
    source.before(box, said);
    (link || image).after(failed);
  }

  document.querySelectorAll("script.live").forEach(build);
})();
