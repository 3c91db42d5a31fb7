/** The style sheet of the explorer, for light and dark mode. */
export const style = `
:root{color-scheme:light dark;--ink:#1b2130;--soft:#626c80;--line:#e3e7f0;--paper:#fff;--back:#f4f6fb;--accent:#5b45d6;
--bar:#a897f5;--good:#15803d;--goodback:#e3f5e9;--bad:#b42332;--badback:#fde8ea;--chip:#edeafd;--shade:0 1px 2px #1b213010}
@media(prefers-color-scheme:dark){:root{--ink:#e7eaf3;--soft:#98a2b8;--line:#272f40;--paper:#151a24;--back:#0c1017;
--accent:#b3a5ff;--bar:#8d7cf0;--good:#6ee7a0;--goodback:#12301f;--bad:#ff9aa4;--badback:#3a1519;--chip:#26214a;--shade:none}}
*{box-sizing:border-box}
body{margin:0;background:var(--back);color:var(--ink);font:14px/1.5 system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
a{color:var(--accent);text-decoration:none}a:hover{text-decoration:underline}
a:focus-visible,button:focus-visible,input:focus-visible{outline:2px solid var(--accent);outline-offset:2px;border-radius:6px}
code,.mono,pre{font:12.5px/1.55 ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace}
header{position:sticky;top:0;z-index:1;display:flex;align-items:center;gap:16px;padding:12px 24px;background:var(--paper);
border-bottom:1px solid var(--line)}
.brand{display:flex;align-items:center;gap:10px;font-weight:650;font-size:16px;color:var(--ink);letter-spacing:-.01em;white-space:nowrap}
.brand:hover{text-decoration:none}
.mark{display:grid;place-items:center;width:28px;height:28px;border-radius:8px;background:#6d57e8;color:#fff;font-size:15px}
.live{font-size:12px;color:var(--soft);white-space:nowrap}
.live::before{content:"";display:inline-block;width:8px;height:8px;border-radius:50%;background:var(--soft);margin-right:7px}
.live.on::before{background:#22c55e}.live.off::before{background:#ef4444}
form{flex:1;display:flex;justify-content:flex-end}
input{width:min(560px,100%);font:inherit;color:inherit;background:var(--back);border:1px solid var(--line);border-radius:9px;padding:8px 12px}
main{max-width:1320px;margin:0 auto;padding:24px}
h1{font-size:22px;line-height:1.25;letter-spacing:-.01em;margin:0 0 4px}
h2{font-size:15px;margin:0 0 10px}
.soft{color:var(--soft)}.num{text-align:right;font-variant-numeric:tabular-nums}
.card{background:var(--paper);border:1px solid var(--line);border-radius:14px;padding:18px 20px;margin-bottom:16px;box-shadow:var(--shade);overflow-x:auto}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(150px,1fr));gap:12px;margin-bottom:16px}
.tile{background:var(--paper);border:1px solid var(--line);border-radius:14px;padding:14px 16px;box-shadow:var(--shade)}
.tile span{color:var(--soft);font-size:12.5px}.tile b{display:block;font-size:23px;line-height:1.3;letter-spacing:-.02em;
font-variant-numeric:tabular-nums;overflow:hidden;text-overflow:ellipsis}
.tile b.text{font-size:15px;line-height:30px}
.bars{display:flex;align-items:flex-end;gap:3px;height:72px}
.bars a{flex:1;max-width:26px;min-width:3px;border-radius:4px 4px 0 0;background:var(--bar);opacity:.9}
.bars a:hover{opacity:1}.bars a.empty{background:var(--line)}.bars a.failed{background:linear-gradient(var(--bad) 28%,var(--bar) 28%)}
.two{display:grid;grid-template-columns:minmax(0,3fr) minmax(0,2fr);gap:16px;align-items:start}
@media(max-width:980px){.two{grid-template-columns:minmax(0,1fr)}header{flex-wrap:wrap}form{flex-basis:100%}}
table{border-collapse:collapse;width:100%}
th{font-weight:500;color:var(--soft);font-size:12.5px;text-align:left;padding:4px 10px 6px 0;border-bottom:1px solid var(--line);white-space:nowrap}
td{padding:7px 10px 7px 0;border-bottom:1px solid var(--line);vertical-align:top;overflow-wrap:anywhere}
tr:last-child>td{border-bottom:0}th.num{text-align:right}
td.key{color:var(--soft);width:170px;white-space:nowrap}
td.short{white-space:nowrap}
.chip{display:inline-block;border-radius:999px;padding:1px 9px;font-size:12px;background:var(--chip);color:var(--accent);margin:1px 5px 1px 0}
.chip.good{background:var(--goodback);color:var(--good)}.chip.bad{background:var(--badback);color:var(--bad)}
.chip.plain{background:var(--back);color:var(--soft)}
.tabs{display:flex;flex-wrap:wrap;gap:6px;margin-bottom:10px}
.tabs a{border-radius:999px;padding:3px 11px;color:var(--soft);font-size:13px;border:1px solid transparent}
.tabs a.on{background:var(--chip);color:var(--accent)}.tabs a:hover{text-decoration:none;border-color:var(--line)}
.error{border:1px solid var(--bad);background:var(--badback);color:var(--bad);border-radius:12px;padding:12px 16px;margin-bottom:16px}
.error b{display:block;font-size:15px}
.inner{margin-left:22px;border-left:2px solid var(--line);padding-left:14px}
.step{margin-bottom:14px}.step:last-child{margin-bottom:0}
pre{margin:0;white-space:pre-wrap;overflow-wrap:anywhere}
pre .bad{color:var(--bad)}pre .good{color:var(--good)}pre .log{color:var(--ink)}pre .quiet{color:var(--soft)}
.esc{background:var(--badback);color:var(--bad);border-radius:4px;font-size:.85em;padding:0 2px}
.gain{color:var(--good)}.loss{color:var(--bad)}
.head{display:flex;gap:12px;align-items:baseline;flex-wrap:wrap;margin-bottom:14px}
`
