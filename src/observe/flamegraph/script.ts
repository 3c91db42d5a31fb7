/**
 * The flamegraph's script for a browser: labels that fit, zoom, search and details. It makes no request, and puts texts
 * of the profile into the document only as text.
 *
 * `svg.podFlame` offers `zoom(name)`, `search(pattern)`, `reset()` and the displayed numbers to tests and scripts.
 */
export const script = `
(function () {
  "use strict";
  var NS = "http://www.w3.org/2000/svg", XHTML = "http://www.w3.org/1999/xhtml";
  var own = document.currentScript;
  var svg = own ? own.closest("svg") : document.documentElement;
  if (svg.podFlame) return;
  var about = svg.querySelector(".about"), idle = about.textContent;
  var frames = Array.from(svg.querySelectorAll(".f")).map(function (g) {
    var rect = g.querySelector("rect"), title = g.querySelector("title").textContent.split("\\n");
    var text = g.querySelector("text");
    if (!text) { text = document.createElementNS(NS, "text"); text.setAttribute("y", Number(rect.getAttribute("y")) + 13.5);
      text.setAttribute("dx", 4); g.appendChild(text); }
    var at = g.getAttribute("data-at").split(" ").map(Number);
    return { g: g, rect: rect, text: text, name: title[0], all: title.join(" "), about: title.filter(Boolean).join("   "),
      x: at[0] / 1e7, w: at[1] / 1e7, depth: at[2], hit: false };
  });
  var root = frames[0], view = root, found = null, width = 0, char = 7.25;
  var percent = function (share) { return (share * 100).toFixed(share >= 0.1 ? 1 : 2) + " %"; };
  function label(f, w) {
    var fits = Math.floor((w * width - 8) / char);
    f.text.textContent = 3 > fits ? "" : f.name.length > fits ? f.name.slice(0, fits - 1) + "\\u2026" : f.name;
  }
  function draw() {
    width = svg.getBoundingClientRect().width || 1200;
    var end = view.x + view.w;
    frames.forEach(function (f) {
      var isAbove = view.depth > f.depth && view.x + 1e-9 > f.x && f.x + f.w + 1e-9 > end;
      var isIn = f === view || (f.depth > view.depth && f.x + 1e-9 > view.x && end + 1e-9 > f.x + f.w);
      f.shown = isAbove || isIn;
      f.g.classList.toggle("gone", !f.shown);
      f.g.classList.toggle("above", isAbove);
      if (!f.shown) return;
      var x = isAbove ? 0 : (f.x - view.x) / view.w, w = isAbove ? 1 : f.w / view.w;
      f.rect.setAttribute("x", x * 100 + "%");
      f.rect.setAttribute("width", w * 100 + "%");
      f.text.setAttribute("x", x * 100 + "%");
      label(f, w);
    });
    if (back) back.hidden = view === root;
    tally();
  }
  function zoom(f) { view = f; draw(); api.zoomed = f.name; about.textContent = view === root ? idle : f.about; }
  function tally() {
    svg.classList.toggle("searching", found !== null);
    frames.forEach(function (f) { f.hit = found !== null && f !== root && found(f.all); f.g.classList.toggle("hit", f.hit); });
    var until = -1, sum = 0;
    frames.filter(function (f) { return f.hit && f.shown; })
      .sort(function (a, b) { return a.x - b.x || b.w - a.w; })
      .forEach(function (f) {
        var from = Math.max(f.x, view.x, until), to = Math.min(f.x + f.w, view.x + view.w);
        if (to > from) { sum += to - from; until = to; }
      });
    api.share = sum / view.w;
    api.shown = frames.filter(function (f) { return f.shown; }).length;
    api.hits = frames.filter(function (f) { return f.hit; }).length;
    if (matched) matched.textContent = found === null ? "" : percent(api.share);
  }
  function search(pattern) {
    if (pattern === "") found = null;
    else {
      var regexp;
      try { regexp = new RegExp(pattern, "i"); } catch (_) { regexp = null; }
      found = regexp ? function (text) { return regexp.test(text); }
        : function (text) { return text.toLowerCase().includes(pattern.toLowerCase()); };
    }
    if (input) { if (input.value !== pattern) input.value = pattern; }
    tally();
    return api.share;
  }
  function reset() { search(""); zoom(root); }
  var api = { zoom: function (name) {
      var f = frames.find(function (each) { return each.name === name; });
      if (f) zoom(f);
      return Boolean(f);
    }, search: search, reset: reset, share: 0, shown: 0, hits: 0, frames: frames.length, zoomed: root.name };
  svg.podFlame = api;

  var input, matched, back, holder = svg.querySelector("foreignObject");
  if (holder) {
    var bar = document.createElementNS(XHTML, "div");
    bar.setAttribute("class", "bar");
    var add = function (name) { return bar.appendChild(document.createElementNS(XHTML, name)); };
    matched = add("span"); back = add("button"); input = add("input");
    matched.setAttribute("role", "status");
    back.textContent = "Reset zoom"; back.hidden = true; back.type = "button";
    input.setAttribute("placeholder", "Search ( / )"); input.setAttribute("aria-label", "Search frames by regular expression");
    input.setAttribute("spellcheck", "false");
    holder.appendChild(bar);
    back.addEventListener("click", function () { zoom(root); });
    input.addEventListener("input", function () { search(input.value); });
  }
  svg.addEventListener("click", function (event) {
    var g = event.target.closest(".f"), f = frames.find(function (each) { return each.g === g; });
    if (f) zoom(f);
  });
  svg.addEventListener("mouseover", function (event) {
    var g = event.target.closest ? event.target.closest(".f") : null;
    var f = g ? frames.find(function (each) { return each.g === g; }) : undefined;
    about.textContent = f ? f.about : view === root ? idle : view.about;
  });
  window.addEventListener("keydown", function (event) {
    if (event.key === "Escape") reset();
    else if (event.key === "/" ? input : false) {
      if (event.target.tagName === "INPUT") return;
      if (window.podFlameKeys ? window.podFlameKeys !== svg : false) return;
      event.preventDefault(); input.focus(); input.select();
    }
  });
  if (!window.podFlameKeys) window.podFlameKeys = svg;
  window.addEventListener("resize", draw);
  draw();
})();
`
