/** The page's style sheet. Colours are variables, so that light and dark differ in one place. */

/** Shades of heat maps: from the page's own colour to the metric's. */
const SHADES = Array.from({ length: 10 }, (_, level) => {
  return `.l${level}{fill:color-mix(in oklab,var(--c) ${4 + Math.round(level * 10.6)}%,var(--empty))}`;
}).join('');

export const STYLE = `
:root{color-scheme:light dark;--nav:46px;--bg:#f6f6f3;--surface:#fff;--ink:#1c2127;--muted:#59626d;--line:#dfe2e6;--empty:#eef0f2;
--accent:#0a5ca8;--m0:#0a5ca8;--m1:#0b7a5c;--m2:#c2410c;--m3:#7c3aed;--m4:#a16207;--m5:#be185d;--m6:#0e7490;
--good:#15753a;--good-bg:#d9f2e1;--bad:#b42318;--bad-bg:#fbdcd8;--warn:#b26a00;--down:#c2261a;--degraded:#e3a008}
@media screen and (prefers-color-scheme:dark){:root:not(.paper){--bg:#12161b;--surface:#1a2027;--ink:#e7eaee;--muted:#a0abb8;--line:#333c47;--empty:#232b34;
--accent:#7dbcff;--m0:#6db3ff;--m1:#45d1a3;--m2:#ff9a5c;--m3:#c4a5ff;--m4:#e8c25a;--m5:#ff8fc0;--m6:#4fd1e8;
--good:#5fd38d;--good-bg:#16402a;--bad:#ff8b80;--bad-bg:#54211d;--warn:#f0b04a;--down:#ff5a4f;--degraded:#f5d060}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:calc(var(--nav) + 12px);-webkit-text-size-adjust:100%}
@media(prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;background:var(--bg);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif}
.page{max-width:1280px;margin:0 auto;padding:0 clamp(14px,3vw,40px) 64px}
a{color:var(--accent);text-underline-offset:.18em}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px;border-radius:3px}
.skip{position:absolute;left:-999px;top:8px;background:var(--surface);padding:8px 14px;z-index:3}
.skip:focus{left:12px}
.head{padding:40px 0 8px}
.kicker{margin:0;font-size:.8rem;letter-spacing:.08em;text-transform:uppercase;color:var(--muted)}
h1{margin:.1em 0 .2em;font-size:clamp(1.7rem,4vw,2.5rem);line-height:1.15;letter-spacing:-.02em;overflow-wrap:anywhere}
h2{margin:56px 0 8px;font-size:1.5rem;letter-spacing:-.01em;line-height:1.25}
h3{margin:0 0 14px;font-size:1.15rem;line-height:1.3;overflow-wrap:anywhere}
h3 small,th small{display:block;font-weight:400;color:var(--muted);font-size:.82rem}
section>h3{margin-top:28px;margin-bottom:2px}
p{margin:.3em 0 .8em}
.lead{font-size:1.1rem;margin:0}
.muted,figcaption{color:var(--muted);font-size:.9rem}
.note{border-left:3px solid var(--warn);padding-left:10px}
code{font:.95em ui-monospace,SFMono-Regular,Menlo,Consolas,monospace;overflow-wrap:anywhere}
nav{position:sticky;top:0;z-index:3;height:var(--nav);background:var(--bg);border-bottom:1px solid var(--line);margin:12px 0 24px;display:flex;align-items:center;gap:20px;font-size:.95rem;overflow-x:auto;white-space:nowrap}
.chooser{position:sticky;top:var(--nav);z-index:2;height:48px;background:var(--bg);border-bottom:1px solid var(--line);display:flex;align-items:center;gap:8px;font-size:.92rem}
.chooser[hidden]{display:none}
.chooser select,.chooser button{font:inherit;color:var(--ink);background:var(--surface);border:1px solid var(--muted);border-radius:6px;padding:3px 8px;min-width:0}
.chooser button:disabled{color:var(--muted);border-color:var(--line)}
.machines:has(.chooser:not([hidden])) article{scroll-margin-top:48px}
.keys{display:grid;grid-template-columns:repeat(auto-fit,minmax(165px,1fr));gap:12px;margin:0}
.keys>div{background:var(--surface);border:1px solid var(--line);border-radius:8px;padding:14px 16px}
.keys dt{font-size:.85rem;color:var(--muted)}
.keys dd{margin:0}
.keys strong{display:block;font-size:1.6rem;line-height:1.3;font-weight:650;font-variant-numeric:tabular-nums}
.keys dd span{display:block;font-size:.8rem;line-height:1.35;color:var(--muted)}
table{border-collapse:collapse;width:100%;font-size:.92rem}
th,td{padding:7px 12px 7px 0;text-align:left;border-bottom:1px solid var(--line);vertical-align:top}
.scroll tbody th{min-width:9em;overflow-wrap:anywhere}
th small,td small{color:var(--muted)}
thead th{font-size:.8rem;font-weight:600;color:var(--muted);vertical-align:bottom}
tbody th{font-weight:600}
tbody+tbody th,tbody+tbody td{background:var(--empty)}
.num{font-variant-numeric:tabular-nums;white-space:nowrap}
.scroll{overflow-x:auto;max-width:100%}
.cell{display:flex;align-items:center;gap:10px}
.spark{width:100%;height:26px;overflow:visible}
.spark path{fill:none;stroke:var(--c);stroke-width:1.5;stroke-linejoin:round;vector-effect:non-scaling-stroke}
.m0{--c:var(--m0)}.m1{--c:var(--m1)}.m2{--c:var(--m2)}.m3{--c:var(--m3)}.m4{--c:var(--m4)}.m5{--c:var(--m5)}.m6{--c:var(--m6)}
.glance td{vertical-align:middle}
.glance .spark{width:clamp(70px,8vw,110px);flex:none}
.glance tbody th{overflow-wrap:anywhere;min-width:130px}
.glance thead th:first-child{min-width:150px}
.response tbody th{overflow-wrap:anywhere}
.response td,.response th{padding-top:3px;padding-bottom:3px;vertical-align:middle}
.response tr.service th{font-weight:400;padding-left:14px;color:var(--muted)}
.response td:nth-child(2){width:40%}
.response .spark{height:20px;display:block}
.legend{display:flex;flex-wrap:wrap;gap:4px 18px;font-size:.9rem;align-items:baseline}
.key.down::before,.key.degraded::before,.key.good::before,.key.bad::before{content:"";display:inline-block;width:.75em;height:.75em;border-radius:2px;margin-right:.45em;background:var(--down)}
.key.degraded::before{background:var(--degraded)}.key.bad::before{background:var(--bad)}.key.good::before{background:var(--good)}
.timeline{background:var(--surface);border:1px solid var(--line);border-radius:8px;padding:10px 14px}
.row{display:grid;grid-template:"label track num"/minmax(100px,210px) minmax(0,1fr) 70px;gap:0 12px;align-items:center;font-size:.86rem;padding:1.5px 0}
.row>.label{grid-area:label;overflow-wrap:anywhere}.row>.track,.row>.ticks{grid-area:track}.row>.num{grid-area:num}
.track{position:relative;border-radius:2px}
.track svg{width:100%;height:24px;background:var(--empty);border-radius:2px;display:block}
.track .cursor{top:-2px;bottom:-2px}
.timeline{position:relative}
.tip{position:absolute;z-index:2;margin:0;min-height:0;max-width:min(430px,100%);width:max-content;background:var(--ink);color:var(--bg);border-radius:6px;padding:6px 10px;white-space:pre-line;pointer-events:none;font-size:.82rem}
.tip[hidden]{display:none}
.row .num{text-align:right;font-weight:400}
.row.host{font-weight:600;margin-top:9px}
.row.host:first-child{margin-top:0}
.row.service .label{padding-left:14px;color:var(--muted)}
path.down{fill:var(--down)}path.degraded{fill:var(--degraded)}path.tint{opacity:.2}
path.grid{stroke:var(--line);vector-effect:non-scaling-stroke}
.axis{color:var(--muted);font-size:.78rem}
.ticks{position:relative;height:1.6em}
.ticks span{position:absolute;white-space:nowrap}
.newest{direction:rtl;width:fit-content}.newest>*{direction:ltr}
.calendar{width:auto;font-size:.85rem;border-collapse:separate;border-spacing:0}
.calendar td,.calendar thead th{padding:0;text-align:center;border:0}
.calendar thead th{padding-bottom:4px}
.calendar td{min-width:25px;height:25px;line-height:25px;border:1px solid var(--surface);background:var(--empty)}
.calendar thead td{background:none;border:0}
.calendar tbody th{position:sticky;left:0;background:var(--bg);border:0;padding:0 12px 0 0;vertical-align:middle;z-index:1}
.calendar tbody th span{display:block;width:max-content;max-width:min(40vw,300px);overflow-wrap:anywhere}
.calendar abbr{text-decoration:none;display:block;font-weight:400;line-height:1.2}
.calendar abbr b,.calendar abbr i,.calendar abbr u{display:block;font-style:normal;text-decoration:none}
.calendar thead th{color:var(--ink)}.calendar .weekend abbr{color:var(--muted)}
.calendar td.good{background:var(--good-bg);color:var(--good)}
.calendar td.bad{background:var(--bad-bg);color:var(--bad);font-weight:700}
.card{background:var(--surface);border:1px solid var(--line);border-radius:10px;padding:20px clamp(12px,2vw,24px);margin-top:18px}
.pair{display:grid;grid-template-columns:minmax(0,1.75fr) minmax(0,1fr);gap:28px}
figure{margin:0 0 12px}
.chart{height:214px;overflow:hidden}
.chart>.spark{height:60px;display:block;margin-top:6px}
.uplot{font-family:inherit!important}
.u-cursor-x{border-color:var(--muted)!important}
.lines{display:flex;flex-wrap:wrap;gap:2px 16px;font-size:.85rem;padding-left:18px;min-height:1.6em}
.lines .at{color:var(--muted);min-width:8.8em}
.lines .value{display:inline-block;min-width:4.6em}
.line[role=button]{cursor:pointer}
.lines .line::before{content:"";display:inline-block;width:1em;height:3px;vertical-align:middle;margin-right:.45em;background:var(--c)}
.line[aria-pressed=false]{opacity:.45;text-decoration:line-through}
details{margin:10px 0}
summary{cursor:pointer;color:var(--accent);font-size:.92rem;width:fit-content}
.heats{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,250px),1fr));gap:16px 24px;margin-top:14px}
.heat figcaption{margin:0 0 4px 34px;color:var(--ink);overflow-wrap:anywhere}
.ramps{color:var(--muted);font-size:.8rem;display:flex;align-items:center;gap:5px;white-space:nowrap}
.ramp{flex:1;min-width:40px;height:9px}
.cells{position:relative;display:grid;grid-template-columns:34px minmax(0,1fr)}
.cells svg{width:100%;height:119px;background:var(--empty);border-radius:3px;shape-rendering:crispEdges;cursor:crosshair}
.days{display:grid;grid-template-rows:repeat(7,17px);font-size:.72rem;color:var(--muted);line-height:17px}
.days i,.hours i{font-style:normal}
.cursor{position:absolute;outline:2px solid var(--ink);pointer-events:none}
.hours{display:flex;justify-content:space-between;margin:2px 0 0 34px;font-size:.72rem;color:var(--muted)}
output{display:block;font-size:.82rem;color:var(--muted);margin-left:34px;min-height:2.5em;margin-top:2px;line-height:1.25;font-variant-numeric:tabular-nums}
${SHADES}
.figures{font-size:.87rem;height:fit-content}
.figures caption{text-align:left;color:var(--muted);font-size:.9rem;padding-bottom:4px}
.figures tbody th{font-weight:400}
.figures td:last-child{padding-right:0;min-width:118px}
.figures small{display:block;font-size:.82rem;white-space:nowrap}
.figures tr:last-child>*{border-bottom:0}
.verdict span{font-size:.9em}
.verdict.good span{color:var(--good)}.verdict.bad span{color:var(--bad);font-weight:700}.verdict.none span{color:var(--muted)}
.bullet{display:block;position:relative;height:8px;background:var(--empty);border-radius:2px;margin-top:4px}
.bullet i{position:absolute;top:0;bottom:0;left:calc(var(--low)*1%);right:calc(100% - var(--high)*1%);background:var(--good-bg);border:1px solid var(--good);border-radius:2px}
.bullet b{position:absolute;top:-2px;bottom:-2px;width:3px;left:calc(var(--at)*1% - 1.5px);background:var(--ink);border-radius:1px}
footer{margin-top:48px;border-top:1px solid var(--line);padding-top:14px}
@media screen and (max-width:900px){.pair{grid-template-columns:minmax(0,1fr)}}
@media screen and (max-width:1000px){
.glance thead{position:absolute;left:-999px}
.glance,.glance tbody{display:block}
.glance tbody tr{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:4px 12px;border-bottom:1px solid var(--line);padding:14px 0}
.glance th,.glance td{padding:0;border:0}
.glance th{grid-column:1/-1}
.glance td::before{content:attr(data-label);display:block;color:var(--muted);font-size:.8rem}
.glance td.line{grid-column:1/-1;display:grid;grid-template-columns:4.5em minmax(0,1fr);align-items:center}
.glance .spark{width:auto;flex:1 1 0;min-width:0}
.cell .num{width:4.6em;text-align:right}
}
@media screen and (max-width:760px){
.cards thead{position:absolute;left:-999px}
.cards,.cards tbody{display:block}
.cards tbody tr{display:grid;grid-template-columns:repeat(3,minmax(0,1fr));gap:4px 12px;border-bottom:1px solid var(--line);padding:12px 0}
.cards th,.cards td{padding:0;border:0;white-space:normal}
.cards th{grid-column:1/-1}
.cards td::before{content:attr(data-label);display:block;color:var(--muted);font-size:.8rem}
.row{grid-template:"label num" "track track"/minmax(0,1fr) 70px;gap:0 8px;font-size:.82rem}
.ticks span:nth-child(even){display:none}
html .response td:nth-child(2){width:auto}
.response tr{display:grid;grid-template-columns:minmax(0,1fr) 74px 74px 66px;gap:0 8px;border-bottom:1px solid var(--line)}
.response th,.response td{border:0;padding-right:0}.response th:first-child{grid-column:1/-1}
.chooser label{position:absolute;left:-999px}.chooser select{flex:1}
.keys{grid-template-columns:repeat(auto-fit,minmax(140px,1fr))}
nav{gap:16px;font-size:.88rem}
}
@media print{
@page{margin:12mm}
:root{--bg:#fff}
html{font-size:12px}
h2{margin-top:30px}
.pair{grid-template-columns:minmax(0,600px)}
.glance{font-size:.82rem}.glance .spark{width:40px}.glance .cell{gap:5px}.glance tbody th,.glance thead th:first-child{min-width:110px}.glance th,.glance td{padding-right:6px}.glance th a{overflow-wrap:anywhere}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
nav,.skip,.tip,.cursor,details,.chooser button,.lines .at,.lines .value{display:none!important}
.page{padding:0;max-width:none}
.chooser{position:static;height:auto}
.chooser select{appearance:none;border:0;padding:0;font-weight:600}
.scroll{overflow:visible}
h2,h3,caption,figcaption,.legend{break-after:avoid}
figure,tr,.row,.keys>div{break-inside:avoid}
.card{break-inside:auto;box-decoration-break:clone}
.newest{direction:ltr;width:auto}
.calendar{table-layout:fixed;width:100%}
.calendar td{min-width:0;height:16px;line-height:16px;font-size:.7rem;overflow:hidden;border-width:.5px}
.calendar thead td{width:140px}
.calendar tbody th{position:static}
.many thead th u,.many thead th:not(.monday) b{display:none}.many thead th{vertical-align:bottom}.many thead b,.many thead i{font-size:.6rem;margin:0 -3px}.many td{font-size:0}.many td.bad{background:var(--bad)}
.many td.good{background:#9bd5ad}
}
`;
