/** The look of a benchmark's page, in light and in dark. */
export const style = `
:root{color-scheme:light dark;--ink:#1b2230;--soft:#5c667a;--line:#e0e5ee;--paper:#fff;--back:#f3f5fa;--good:#1f9d61;
--bad:#d6433b;--warn:#c98311;--c0:#5f6b80;--c1:#6d57e8;--c2:#e2703a;--c3:#2383c4;--c4:#2a9d6f;--c5:#c0508f;--c6:#b08a1e;
--c7:#7a5a45;--c8:#3aa6a6;--c9:#8a8f1c}
@media(prefers-color-scheme:dark){:root{--ink:#e8ebf4;--soft:#9aa4ba;--line:#2a3244;--paper:#151a24;--back:#0d1118;
--good:#4fcf94;--bad:#ff7a70;--warn:#f0b24a;--c0:#98a3b8;--c1:#a594ff;--c2:#ff9a66;--c3:#6bbcf2;--c4:#5fd3a3;--c5:#ee86bf;
--c6:#e0bd58;--c7:#c29a80;--c8:#6fd6d6;--c9:#c7cc55}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:14px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
main{max-width:1320px;margin:0 auto;padding:32px 24px 64px}
h1{font-size:26px;line-height:1.25;letter-spacing:-.01em;margin:0}
h2{font-size:18px;margin:0}h3{font-size:13px;font-weight:600;margin:18px 0 4px}
p{margin:0}.soft{color:var(--soft)}
header{margin-bottom:20px}
section{background:var(--paper);border:1px solid var(--line);border-radius:12px;padding:18px 20px;margin-bottom:16px}
.wide{overflow-x:auto}
ul{list-style:none;margin:12px 0 0;padding:0}
li{border-left:4px solid var(--line);background:var(--back);border-radius:4px;padding:6px 12px;margin-bottom:6px}
.good{border-color:var(--good)}.bad{border-color:var(--bad)}.warn{border-color:var(--warn)}
table{border-collapse:collapse;width:100%;margin-top:12px;font-variant-numeric:tabular-nums}
th{font-weight:500;color:var(--soft);text-align:right;padding:4px 6px;border-bottom:1px solid var(--line);white-space:nowrap}
td{padding:6px;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th:first-child,td:first-child{text-align:left;padding-left:0}
td:nth-child(8){white-space:normal;min-width:64px}
tr:last-child td{border-bottom:0}
tr.base td{font-weight:600}tr.control td{color:var(--soft)}
td small{color:var(--soft);font-weight:400}
i{display:inline-block;width:10px;height:10px;border-radius:3px;margin-right:7px}
.Faster,.Met{color:var(--good)}.Slower,.Missed{color:var(--bad)}.TooNoisy,.Undecided{color:var(--warn)}
.targets td:nth-child(n+4),.targets th:nth-child(n+4){text-align:left}.targets td:last-child{white-space:normal}
svg{display:block;width:100%;height:auto;margin-top:6px}
svg text{fill:var(--ink);font:12px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
svg .soft{fill:var(--soft)}svg .grid{stroke:var(--line)}svg .one{stroke:var(--soft);stroke-dasharray:3 3}
svg .then{fill:var(--soft);opacity:.35}
.two{display:grid;grid-template-columns:minmax(0,1fr) minmax(0,1fr);gap:24px}
@media(max-width:820px){.two{grid-template-columns:minmax(0,1fr)}}
`
