/** The page's style sheet, as text so that it also lies in the compiled program. */

export const style = String.raw`
:root {
  color-scheme: light dark;
  --page: #f6f6f4; --card: #ffffff; --ink: #1d1f21; --soft: #63676c; --line: #dedfdb; --fill: #eceded;
  --accent: #2f5d8a; --accent-fill: #e2ecf6; --bar: #8fa9c2;
  --block: #b3261e; --block-fill: #fbe5e3; --review: #8a5a00; --review-fill: #fdf0d2; --pass: #2b6e3f; --pass-fill: #e0f1e4;
  --amber: #c98a10; --pass-bar: #bcd8c4;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #141618; --card: #1c1f22; --ink: #e4e6e8; --soft: #9aa1a8; --line: #31363b; --fill: #282c30;
    --accent: #86b4e0; --accent-fill: #1d3247; --bar: #52718f;
    --block: #ff8a80; --block-fill: #47201d; --review: #f0bd5a; --review-fill: #40320f; --pass: #86cf99; --pass-fill: #1c3a25;
    --amber: #d69a2b; --pass-bar: #2f5a3d;
  }
}
* { box-sizing: border-box; }
[hidden] { display: none !important; }
html { -webkit-text-size-adjust: 100%; }
body {
  margin: 0; background: var(--page); color: var(--ink); overflow-wrap: anywhere;
  font: 14px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "PingFang SC", "Microsoft YaHei", "Noto Sans CJK SC", sans-serif;
  font-variant-numeric: tabular-nums;
}
body > header, body > nav, main { max-width: 1240px; margin: 0 auto; padding: 0 24px; }
body > header { padding-top: 18px; }
main { padding-bottom: 48px; }
h1, h2, h3, p, figure, dl, ul, ol { margin: 0; padding: 0; }
h1 { font-size: 24px; line-height: 1.2; letter-spacing: -0.01em; }
h2 { font-size: 16px; margin: 0 0 10px; }
h3 { font-size: 13px; margin: 16px 0 8px; }
ul, ol { list-style: none; }
a { color: var(--accent); }
small { font-size: 13px; font-weight: 500; color: var(--soft); }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.count { font-weight: 400; color: var(--soft); font-size: 13px; margin-left: 4px; }
.note, .none, .when, .run { color: var(--soft); }
.note { margin: 0 0 10px; font-size: 13px; }
.op, .id { color: var(--soft); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 3px; }

header { display: grid; grid-template-columns: 1fr auto; gap: 2px 24px; align-items: baseline; }
.run { font-size: 12px; text-align: right; }
.state { font-size: 16px; grid-column: 1 / -1; margin-top: 4px; }
.state::before { content: ""; display: inline-block; width: 10px; height: 10px; border-radius: 50%; margin-right: 8px; background: var(--soft); }
.state.good::before { background: var(--pass); }
.state.warn::before { background: var(--review); }
.state.bad::before { background: var(--block); }
.when { grid-column: 1 / -1; font-size: 13px; }
.skip { position: absolute; left: -999px; }
.skip:focus { position: static; display: block; padding: 8px 24px; }
.contents ul { display: flex; flex-wrap: wrap; gap: 2px 18px; font-size: 13px; margin-top: 8px; }
.contents a { text-decoration: none; padding: 2px 0; display: inline-block; }
.contents a:hover { text-decoration: underline; }

.figures { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: 10px; margin: 12px 0 0; }
.figure { background: var(--card); border: 1px solid var(--line); border-top: 3px solid var(--line); border-radius: 6px; padding: 8px 13px 10px; }
.figure.good { border-top-color: var(--pass); }
.figure.warn { border-top-color: var(--review); }
.figure.bad { border-top-color: var(--block); }
.figure h2 { font-size: 12px; font-weight: 600; color: var(--soft); margin: 0; }
.figure .number { font-size: 26px; line-height: 1.25; font-weight: 600; letter-spacing: -0.01em; }
.figure p { font-size: 12.5px; color: var(--soft); margin-top: 2px; }
.figure a { color: inherit; }
.accounts { grid-column: 1 / -1; font-size: 12.5px; color: var(--soft); }
.accounts strong { color: var(--ink); }
.stripe { display: block; width: 100%; height: 6px; margin: 5px 0 3px; background: var(--fill); }
td .stripe { min-width: 120px; height: 10px; margin: 5px 0; }
.share { fill: var(--bar); } .share.track { fill: var(--fill); }
.share.block, .share.failed { fill: var(--block); } .share.review { fill: var(--amber); } .share.pass { fill: var(--pass-bar); } .share.incomplete { fill: var(--soft); }
.share.spent { fill: var(--accent); }
.figure .number, .figure strong { color: var(--ink); }

section:not(.figures) { background: var(--card); border: 1px solid var(--line); border-radius: 6px; padding: 14px 16px 16px; margin-top: 14px; }
.chip { display: inline-block; font-size: 12px; line-height: 1.3; font-weight: 600; padding: 1px 7px; border-radius: 9px; background: var(--fill); color: var(--soft); white-space: nowrap; }
.chip.block { background: var(--block-fill); color: var(--block); }
.chip.review { background: var(--review-fill); color: var(--review); }
.chip.fresh { background: var(--accent-fill); color: var(--accent); }
.chip.pass { background: var(--pass-fill); color: var(--pass); }

button, select, input { font: inherit; font-size: 13px; color: inherit; background: var(--card); border: 1px solid var(--line); border-radius: 4px; padding: 3px 8px; min-height: 28px; max-width: 100%; }
button { cursor: pointer; background: var(--fill); }
button:hover:enabled { border-color: var(--soft); }
button:disabled { opacity: 0.45; cursor: default; }
.small { font-size: 12px; min-height: 0; padding: 0 6px; line-height: 18px; color: var(--soft); background: none; }
.filters { display: flex; flex-wrap: wrap; gap: 8px 12px; align-items: center; }
.filters label { display: flex; gap: 6px; align-items: center; font-size: 12.5px; color: var(--soft); white-space: nowrap; }
.filters label > * { color: var(--ink); }
.filters select { max-width: 170px; }
.filters .prefix { width: 150px; }
.filters fieldset { border: 0; margin: 0; padding: 0; display: flex; gap: 6px; align-items: center; font-size: 12.5px; color: var(--soft); }
.filters legend { float: left; padding: 0; }
.filters fieldset input { width: 64px; color: var(--ink); }
.filters .wide { flex: 1 1 220px; }
.filters .wide input { width: 100%; }
.found { font-size: 12.5px; color: var(--soft); margin: 8px 0 4px; }

.items > li { display: grid; grid-template-columns: 58px minmax(0, 11fr) minmax(0, 10fr); gap: 2px 18px; padding: 9px 0; border-top: 1px solid var(--line); break-inside: avoid; }
.items .where { min-width: 0; }
.key { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, "Noto Sans Mono CJK SC", monospace; font-size: 12.5px; unicode-bidi: isolate; }
.facts { font-size: 12px; color: var(--soft); display: flex; flex-wrap: wrap; gap: 2px 10px; align-items: center; margin-top: 2px; }
.hits > li { display: grid; grid-template-columns: minmax(0, 1fr) 128px 56px; gap: 8px; align-items: center; font-size: 13px; }
.hits .name { font-weight: 600; unicode-bidi: isolate; }
.hits .value { text-align: right; }
.hits .service { font-size: 12px; }
.hits svg { display: block; width: 128px; height: 12px; }
.decision { font-size: 12.5px; margin-top: 3px; }
.reasons { font-size: 12px; color: var(--soft); margin-top: 2px; }
.track { fill: var(--fill); }
.level { fill: var(--accent); }
.level.block, .block-mark { fill: var(--block); }
.level.review { fill: var(--review); }
.mark { stroke: var(--ink); stroke-width: 1.5; }
.playable { cursor: pointer; }
code { font-family: ui-monospace, SFMono-Regular, Menlo, Consolas, monospace; font-size: 12.5px; }
.timeline { margin-top: 5px; }
.lane { display: grid; grid-template-columns: 8.5rem minmax(0, 1fr); gap: 8px; align-items: center; font-size: 12px; line-height: 16px; margin-top: 2px; }
.lane .op { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.lane svg { display: block; width: 100%; height: 16px; }
.ends { color: var(--soft); font-size: 11px; margin: 0; }
.ends > span { display: flex; justify-content: space-between; }
.piece { fill: var(--accent); fill-opacity: 0.88; }
.piece.c1 { fill: #c2571a; } .piece.c2 { fill: #7a4fb5; } .piece.c3 { fill: #2b7f78; } .piece.c4 { fill: #b0307a; } .piece.c5 { fill: #6f7d1f; }
.timeline summary { font-size: 12px; color: var(--soft); width: fit-content; }
.moments { columns: 230px; font-size: 12.5px; margin-top: 4px; }
.media:not(:empty) { margin-top: 6px; }
.media img, .media video { display: block; max-width: 100%; min-width: 240px; max-height: 420px; border-radius: 4px; background: #000; }
.pages { display: flex; gap: 8px; align-items: center; justify-content: center; margin-top: 12px; font-size: 13px; }
.pages:empty { display: none; }

.charts { display: grid; grid-template-columns: repeat(auto-fill, minmax(230px, 1fr)); gap: 14px 20px; }
.charts figure { display: flex; flex-direction: column; justify-content: space-between; }
.charts figcaption { font-size: 12.5px; min-height: 20px; }
.charts bdi { font-weight: 600; }
.charts svg { width: 100%; height: auto; display: block; overflow: visible; }
.charts text { font-size: 10.5px; fill: var(--soft); }
.bar { fill: var(--bar); }
.axis { stroke: var(--line); }
.threshold { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 4 3; }
.threshold.block { stroke: var(--block); }
.threshold.review { stroke: var(--review); }
.asked { font-size: 12px; white-space: nowrap; }
.asked.block { color: var(--block); } .asked.review { color: var(--review); } .asked.pass { color: var(--pass); }

.scroll { overflow-x: auto; position: relative; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: 4px 12px 4px 0; border-bottom: 1px solid var(--line); vertical-align: top; overflow-wrap: normal; }
th { font-weight: 600; color: var(--soft); font-size: 12px; vertical-align: bottom; }
th.number, td.number { text-align: right; width: 1px; white-space: nowrap; }
th, td.boolean { white-space: nowrap; }
.notes { margin-top: 10px; font-size: 13px; color: var(--soft); }
.notes li { margin-top: 3px; }
.cause { border-top: 1px solid var(--line); }
.cause summary { display: grid; grid-template-columns: 10px 46px minmax(0, 1fr); gap: 12px; padding: 6px 0; }
.cause summary::before { content: "\25B8"; color: var(--soft); }
.cause [open] summary::before { content: "\25BE"; }
.cause .many { text-align: right; font-weight: 600; }
.cause ul, .cause .note { margin: 0 0 8px 80px; font-size: 13px; }
.causes + .note { margin-top: 10px; }
.notes + .causes { margin-top: 10px; }
details + h3 { margin-top: 18px; }
section > details { margin-top: 12px; }
q { quotes: none; color: var(--soft); }
dl.numbers { grid-template-columns: repeat(auto-fit, minmax(130px, 1fr)); gap: 8px 20px; }
dl.numbers div { display: flex; flex-direction: column-reverse; justify-content: flex-end; gap: 0; }
dl.numbers dd { font-size: 20px; font-weight: 600; }
.flips { display: flex; flex-wrap: wrap; gap: 6px 24px; font-size: 13px; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(320px, 1fr)); gap: 2px 24px; margin-bottom: 12px; font-size: 13px; }
dl div { display: grid; grid-template-columns: 110px minmax(0, 1fr); gap: 10px; }
dt { color: var(--soft); }
dd { margin: 0; }
.rules { margin-top: 6px; font-size: 13px; }
.rules li { margin-top: 4px; }
summary { cursor: pointer; }

@media screen and (max-width: 720px) {
  body > header, body > nav, main { padding-left: 12px; padding-right: 12px; }
  header { grid-template-columns: 1fr; }
  .run { text-align: left; }
  .contents ul { flex-wrap: nowrap; overflow-x: auto; white-space: nowrap; gap: 2px 16px; }
  .contents a { padding: 8px 0; }
  .figures { grid-template-columns: 1fr 1fr; gap: 8px; }
  .figure { padding: 8px 10px 10px; }
  .figure .number { font-size: 22px; }
  section:not(.figures) { padding: 12px; }
  .items > li { grid-template-columns: minmax(0, 1fr); }
  .filters label { flex: 1 1 40%; }
  .filters fieldset { flex: 1 1 40%; }
  .filters fieldset input { flex: 1; min-width: 0; width: 40px; }
  .filters label select, .filters .prefix { flex: 1; min-width: 0; width: 100%; }
  .filters .wide { flex-basis: 100%; }
  button, select, input { min-height: 36px; }
  .small { min-height: 28px; padding: 3px 10px; }
  .hits > li { grid-template-columns: minmax(0, 1fr) 96px 48px; }
  .hits svg { width: 96px; }
  .cause summary { grid-template-columns: 10px auto minmax(0, 1fr); }
  .cause ul, .cause .note { margin-left: 22px; }
  .charts { grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); }
  table { font-size: 12px; }
  th, td { padding-right: 8px; }
  .figure:last-child:nth-child(odd) { grid-column: 1 / -1; }
  dl { grid-template-columns: 1fr; }
}
@media print {
  :root { --page: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; --fill: #eee; --accent: #2f5d8a; --bar: #8fa9c2; --block: #a00; --block-fill: #fff; --review: #740; --review-fill: #fff; --pass: #050; --pass-fill: #fff; --accent-fill: #fff; --amber: #c98a10; --pass-bar: #bcd8c4; color-scheme: light; }
  body { font-size: 10pt; }
  body > header, main { max-width: none; padding: 0; }
  section:not(.figures) { border: 0; padding: 8px 0; }
  .filters, .pages, .contents, .skip, button, .timeline details:not([open]) { display: none; }
  .hits > li { grid-template-columns: minmax(0, 1fr) 72px 48px; }
  .hits svg { width: 72px; }
  .chip { border: 1px solid currentColor; }
  .items > li { padding: 5px 0; }
  .state::before { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  svg { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  figure, .figure, tr, .cause { break-inside: avoid; }
  .scroll { overflow: visible; }
  table { font-size: 8pt; }
}
`;
