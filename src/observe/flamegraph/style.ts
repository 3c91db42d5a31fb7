/** The look of the flamegraph, in light and in dark. Colours are by owner; neighbours differ in opacity. */
export const style = `
.pod-flame{--ink:#1c2230;--soft:#5d667a;--line:#d8dce6;--paper:#fff;--field:#f4f6fa;--hit:#d6249f;
--span:#a897f5;--sdk:#f5935c;--application:#f6c453;--effect:#8bb8f5;--node:#74cf9f;--package:#c9bf8a;--collector:#ef6f79;
font:12px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;background:var(--paper);color:var(--ink);
display:block;width:100%;min-width:420px}
@media(prefers-color-scheme:dark){.pod-flame{--ink:#e8ebf4;--soft:#9aa4ba;--line:#323a4d;--paper:#151a24;--field:#202736;
--hit:#ff5ccb}}
.pod-flame text{fill:var(--ink);white-space:pre}
.pod-flame .title{font:600 17px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.pod-flame .sub,.pod-flame .legend,.pod-flame .about{fill:var(--soft);font-family:system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
.pod-flame .about{fill:var(--ink)}
.pod-flame .paper{fill:var(--paper)}
.pod-flame .f{cursor:pointer}
.pod-flame .f rect{stroke:var(--paper);stroke-width:1;rx:2}
.pod-flame .f text{fill:#161b26;pointer-events:none}
.pod-flame .f:hover rect{stroke:var(--ink);stroke-width:1.5}
.pod-flame .span rect{fill:var(--span)}.pod-flame .sdk rect{fill:var(--sdk)}
.pod-flame .application rect{fill:var(--application)}.pod-flame .effect rect{fill:var(--effect)}
.pod-flame .node rect{fill:var(--node)}.pod-flame .package rect{fill:var(--package)}
.pod-flame .collector rect{fill:var(--collector)}
.pod-flame .t0 rect{filter:brightness(1.05)}.pod-flame .t1 rect{filter:brightness(.99)}
.pod-flame .t2 rect{filter:brightness(.93)}
.pod-flame .root rect{fill:var(--line)}.pod-flame .root text{fill:var(--ink)}
.pod-flame .above{opacity:.5}.pod-flame.searching .f{opacity:.28}
.pod-flame.searching .f.hit{opacity:1}.pod-flame .hit rect{fill:var(--hit)}.pod-flame .hit text{fill:#fff}
.pod-flame .gone{display:none}
.pod-flame .bar{position:static;display:flex;gap:6px;justify-content:flex-end;align-items:center;height:30px;
font:12px system-ui,"Segoe UI",Roboto,"DejaVu Sans",sans-serif;color:var(--soft)}
.pod-flame input{width:160px;font:12px ui-monospace,Menlo,Consolas,"DejaVu Sans Mono",monospace;color:var(--ink);background:var(--field);
border:1px solid var(--line);border-radius:6px;padding:4px 8px;outline-offset:1px}
.pod-flame button{font:inherit;color:var(--ink);background:var(--field);border:1px solid var(--line);border-radius:6px;
padding:4px 9px;cursor:pointer}
.pod-flame button[hidden]{display:none}
`
