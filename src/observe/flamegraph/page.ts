/** The look of a profile's page, in light and in dark, and its script: rows find their frames in the picture. */
export const style = `
:root{color-scheme:light dark;--ink:#1c2230;--soft:#5d667a;--line:#e1e5ee;--paper:#fff;--back:#f3f5fa;--accent:#6d57e8;
--bar:#a897f5;--faint:#e4defc;--span:#a897f5;--sdk:#f5935c;--application:#f6c453;--effect:#8bb8f5;--node:#74cf9f;
--package:#c9bf8a;--collector:#ef6f79}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebf4;--soft:#9aa4ba;--line:#2a3244;--paper:#151a24;--back:#0d1118;
--accent:#b0a2ff;--bar:#8d7cf0;--faint:#3a3463}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:14px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1360px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:26px;line-height:1.25;letter-spacing:-.01em;margin:0}
h2{font-size:16px;margin:0 0 2px}
p{margin:0}.soft{color:var(--soft)}
header{margin-bottom:20px}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(190px,1fr));gap:12px;margin-bottom:16px}
.tile,section{background:var(--paper);border:1px solid var(--line);border-radius:12px}
.tile{padding:14px 16px}.tile b{display:block;font-size:24px;line-height:1.3;letter-spacing:-.02em}
section{padding:18px 20px;margin-bottom:16px;overflow-x:auto}
section.picture{padding:10px 8px 4px}
.two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:16px}
@media(max-width:1000px){.two{grid-template-columns:minmax(0,1fr)}}
.stack{display:flex;height:22px;border-radius:6px;overflow:hidden;margin:12px 0 10px;gap:1px}
.key{display:flex;flex-wrap:wrap;gap:4px 18px}
i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:7px}
table{border-collapse:collapse;width:100%;margin-top:10px;font-variant-numeric:tabular-nums}
th{font-weight:500;color:var(--soft);text-align:right;padding:4px 8px;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}th:last-child,td:last-child{padding-right:0}
td{padding:5px 8px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap;vertical-align:top}
tr:last-child td{border-bottom:0}
td:first-child{white-space:normal;overflow-wrap:anywhere}
td small{color:var(--soft);display:block;font:11px/1.4 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
td.bar{width:26%;min-width:90px}
.track{display:block;position:relative;height:14px;margin-top:3px;border-radius:4px;background:var(--back);overflow:hidden}
.track u{position:absolute;inset:0 auto 0 0;border-radius:4px;background:var(--faint)}.track u+u{background:var(--bar)}
button.find{all:unset;cursor:pointer}button.find:hover{color:var(--accent);text-decoration:underline}
button.find:focus-visible{outline:2px solid var(--accent);border-radius:3px}
pre{font:12px/1.5 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;margin:10px 0 0;max-height:480px;overflow:auto}
.files a{color:var(--accent);margin-right:18px}
.warn{border-left:4px solid var(--collector);padding-left:12px}
`

export const script = `
(function () {
  "use strict";
  document.addEventListener("click", function (event) {
    var button = event.target.closest("button[data-find]");
    if (!button) return;
    var svg = document.querySelector("#" + button.getAttribute("data-in") + " svg");
    if (!svg || !svg.podFlame) return;
    var name = button.getAttribute("data-find");
    if (button.hasAttribute("data-zoom")) { svg.podFlame.search(""); svg.podFlame.zoom(name); }
    else { svg.podFlame.reset(); svg.podFlame.search(name.replace(/[.*+?^$(){}|[\\]\\\\]/g, "\\\\$&")); }
    svg.scrollIntoView({ behavior: "smooth", block: "center" });
  });
})();
`
