/** The look of the page, light and dark, wide and narrow. */
export const PAGE_STYLE = `
:root { color-scheme: light dark; --ground: #f2f6f7; --surface: #fff; --ink: #10272f; --muted: #4f6770; --rule: #dbe5e8; --sea: #0b6b7d; --odd: #c2410c;
  --chip: #eaf1f3; --top: linear-gradient(165deg, #083a49, #0c5b6c 65%, #11778a) }
@media (prefers-color-scheme: dark) { :root { --ground: #07151b; --surface: #0d2029; --ink: #e2eef1; --muted: #93adb7; --rule: #1c3641; --sea: #63cadd;
  --odd: #ff8c66; --chip: #15303a; --top: linear-gradient(165deg, #04222c, #07323f 65%, #0a4453) } .light { display: none } }
@media (prefers-color-scheme: light) { .dark { display: none } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif }
header { background: var(--top); color: #f1fafb; padding: 1.4rem max(1rem, calc(50vw - 36rem)) 1.2rem }
header p { margin: .2rem 0; color: #c9e3e8; overflow-wrap: anywhere } .brand { font-weight: 600; letter-spacing: .04em }
h1 { margin: 0; font-size: 1.5rem; overflow-wrap: anywhere }
.chips { display: flex; flex-wrap: wrap; gap: .5rem; list-style: none; margin: .9rem 0 0; padding: 0 }
.chips a { display: block; padding: .25rem .7rem; border-radius: 1rem; background: rgba(255, 255, 255, .13); color: #f1fafb; text-decoration: none }
.chips a:hover, .chips a:focus-visible { background: rgba(255, 255, 255, .26) }
main { max-width: 74rem; margin: 0 auto; padding: 1rem }
section { background: var(--surface); border: 1px solid var(--rule); border-radius: .7rem; padding: 1rem 1.2rem; margin: 0 0 1rem }
h2 { margin: 0 0 .5rem; font-size: 1.1rem } h3 { margin: 0; font-size: .95rem; overflow-wrap: anywhere }
.count { display: inline-block; min-width: 1.7em; padding: 0 .5em; border-radius: 1em; background: var(--chip); color: var(--muted); font-size: .85rem; text-align: center }
.hint, .none, footer { color: var(--muted); font-size: .88rem; margin: .2rem 0 .7rem }
.pairs, .plain, .cards { list-style: none; margin: 0; padding: 0 }
.pair { display: grid; grid-template-columns: 5.5rem 1fr 15rem; gap: 1rem; align-items: center; padding: .35rem 0; border-top: 1px solid var(--rule) }
.pair p { margin: 0; overflow-wrap: anywhere }
.r b { font-variant-numeric: tabular-nums } .r i { display: block; height: 4px; border-radius: 2px }
.together i, .swatch.together { background: var(--sea) } .against i, .swatch.against { background: var(--odd) } .against b { color: var(--odd) } .together b { color: var(--sea) }
.swatch { display: inline-block; width: .8em; height: .8em; border-radius: 2px }
.spark { display: block; width: 100%; min-width: 8rem; height: 40px } .strip { display: block; width: 100%; min-width: 10rem; height: 16px }
.spark path { fill: none; vector-effect: non-scaling-stroke; stroke-linejoin: round } .line { stroke: var(--sea); stroke-width: 1.4 } .other { stroke: var(--muted); stroke-width: .9 }
.there { fill: var(--chip) } .missing { fill: var(--odd) }
.map { display: block; width: 100%; max-width: 62rem; height: auto } .map.bare { max-width: 46rem }
.map image { image-rendering: pixelated; cursor: crosshair } .map text { fill: var(--ink) } .ground { fill: var(--chip) }
.tree { fill: none; stroke: var(--muted); stroke-width: .8 } .limit { stroke: var(--odd); stroke-dasharray: 4 4 }
.reading { margin: 0 0 .3rem; font-variant-numeric: tabular-nums; min-height: 1.5em; overflow-wrap: anywhere }
.cards { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 20rem), 1fr)); gap: .8rem }
.card { border: 1px solid var(--rule); border-radius: .5rem; padding: .7rem .8rem; min-width: 0 } .card .hint { margin: 0 } .card li { font-size: .85rem; overflow-wrap: anywhere }
.card em { color: var(--muted); font-style: normal; white-space: nowrap } summary { color: var(--muted); font-size: .85rem; cursor: pointer }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100% } thead th { color: var(--muted); font-size: .85rem }
th, td { text-align: left; font-weight: normal; padding: .35rem .8rem .35rem 0; border-top: 1px solid var(--rule) } thead th { border: 0 } tbody th { overflow-wrap: anywhere; width: 38% } td:last-child { width: 16rem; padding-right: 0 }
.plain li { overflow-wrap: anywhere } .faults li { padding: .2rem 0; border-top: 1px solid var(--rule); font-family: ui-monospace, Menlo, Consolas, monospace; font-size: .85rem }
footer { max-width: 74rem; margin: 0 auto; padding: 0 1.2rem 2rem }
@media (max-width: 40rem) { .pair { grid-template-columns: 4.5rem 1fr; gap: .3rem .8rem } .pair .spark { grid-column: 1 / -1 } section { padding: .8rem }
  thead { display: none } tr { display: block; border-top: 1px solid var(--rule); padding: .4rem 0 } th, td, td:last-child { display: block; width: auto; border: 0; padding: .1rem 0 }
  td { color: var(--muted) } .map:not(.bare) { width: 44rem } }
@media print { section { break-inside: avoid } }
`
