"""A meeting as one HTML file: it opens offline, asks no host for anything, and shows the numbers and charts that the room saw.

Vega is inside the file. A content security policy allows only the script and style that are written here (by their hashes), no evaluation of text as
code, and no request. All text is escaped; data of charts is JSON in which no character can end its element.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from typing import Any

import pandas as pd

from revscore.core import units
from revscore.core.calendars import written
from revscore.core.metric import functions
from revscore.core.picture import Picture
from revscore.core.receipt import Receipt
from revscore.core.review import Line
from revscore.export.look import DARK, FONT, LIGHT
from revscore.rhythm.minutes import Item, Minutes, Task, day

_STYLE = """
:root{color-scheme:light dark;@LIGHT@}
@media screen and (prefers-color-scheme:dark){:root{@DARK@}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:17px/1.5 'Source Sans','Segoe UI','Helvetica Neue',@FONT@,sans-serif;overflow-wrap:anywhere}
main{max-width:1180px;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:2.1rem;line-height:1.15;margin:0 0 .35rem}
h2{font-size:1.45rem;line-height:1.25;margin:2.6rem 0 .2rem;padding-top:1.1rem;border-top:2px solid var(--grid)}
h3{font-size:1.12rem;line-height:1.3;margin:1.4rem 0 .3rem}
p{margin:.35rem 0}
.soft,dt,figcaption,.tile small{color:var(--soft)}
.answer,.finding{font-size:1.28rem;line-height:1.35;max-width:62ch}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.15rem 1.1rem;margin:.9rem 0}
dd{margin:0}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(15.5rem,1fr));gap:.8rem;margin:1rem 0}
.tile{border:1px solid var(--rest);border-radius:8px;padding:.65rem .95rem}
.tile b{display:block;font-size:1rem;font-weight:600}
.tile span{display:block;font-size:2rem;font-weight:700;line-height:1.2;font-variant-numeric:tabular-nums}
.tile small{display:block;font-size:.93rem}
figure{margin:1.2rem 0;padding:0}
figcaption{font-size:.95rem}
.scroll{overflow-x:auto}
.plot{min-width:640px}
.dark{display:none}
@media screen and (prefers-color-scheme:dark){.dark{display:block}.light{display:none}}
table{border-collapse:collapse;width:100%;margin:.7rem 0;font-size:.95rem;font-variant-numeric:tabular-nums}
th,td{text-align:left;vertical-align:top;padding:.4rem .75rem .4rem 0;border-bottom:1px solid var(--grid);overflow-wrap:break-word;max-width:32rem;min-width:4.5rem}
th{color:var(--soft);font-weight:600}
td.n,th.n{text-align:right;white-space:nowrap}
details{margin:.5rem 0}
summary{cursor:pointer;color:var(--main);font-weight:600;padding:.25rem 0}
.late{color:var(--warn);font-weight:700}
code{font-size:.85em;overflow-wrap:anywhere}
footer{margin-top:3rem;border-top:2px solid var(--grid);padding-top:.8rem;color:var(--soft);font-size:.92rem}
#vg-tooltip-element{position:fixed;z-index:9;visibility:hidden;background:var(--paper);color:var(--ink);border:1px solid var(--line);border-radius:6px;padding:.4rem .6rem;font-size:.92rem;pointer-events:none}
#vg-tooltip-element.visible{visibility:visible}
#vg-tooltip-element td{border:0;padding:.05rem .6rem .05rem 0;min-width:0}
#vg-tooltip-element td.key{color:var(--soft)}
@media (max-width:600px){body{font-size:16px}h1{font-size:1.6rem}.answer,.finding{font-size:1.12rem}dl{grid-template-columns:1fr;gap:0}dd{margin:0 0 .45rem}.tile span{font-size:1.75rem}.scroll table{min-width:46rem}}
@media print{@page{margin:14mm}body{font-size:10.5pt}main{max-width:none;padding:0}.tile,figure,tr{break-inside:avoid}h2,h3{break-after:avoid}.scroll{overflow:visible}details:not([open]){display:none}}
"""

_SCRIPT = """
const pictures = JSON.parse(document.getElementById('pictures').textContent);
const drawn = async () => {
  for (const one of pictures) {
    for (const theme of ['light', 'dark']) {
      const host = document.getElementById(one.id + '-' + theme);
      const width = Math.max(640, host.closest('figure').clientWidth);
      if (!one.specs[theme] || host.dataset.width === String(width)) continue;
      host.dataset.width = String(width);
      const spec = {...one.specs[theme], width, height: one.height, data: {values: one.rows}};
      await vegaEmbed(host, spec, {mode: 'vega-lite', ast: true, renderer: 'svg', actions: false, defaultStyle: false, tooltip: {disableDefaultStyle: true}});
    }
  }
  document.documentElement.dataset.drawn = 'yes';
};
drawn();
let waiting;
addEventListener('resize', () => { clearTimeout(waiting); waiting = setTimeout(drawn, 200); });
"""


def meeting_html(held: Minutes, pictures: Sequence[Picture], receipts: Sequence[Receipt]) -> bytes:
    """The file. `pictures` stand with the screen that they belong to; `receipts`: one for each line of the meeting that has a number, in their order.

    About 0.95 MB, of which 0.9 MB is Vega."""
    style, script = _style(), _SCRIPT
    drawn = [{"id": f"p{place}", "height": one.height, "specs": dict(one.specs), "rows": _rows(one.data)} for place, one in enumerate(pictures)]
    policy = (f"default-src 'none'; script-src {' '.join(_hash(text) for text in (_vega(), script))}; style-src {_hash(style)}; img-src data:; base-uri 'none'; form-action 'none'")
    head = ("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
            f"<meta http-equiv=\"Content-Security-Policy\" content=\"{escape(policy)}\">"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"><meta name=\"referrer\" content=\"no-referrer\"><link rel=\"icon\" href=\"data:,\">"
            f"<title>{_t(held.title)} · {_t(held.stands.get('As of', ''))}</title><style>{style}</style></head><body><main>")
    body = "".join(_body(held, pictures, receipts))
    data = f"<script type=\"application/json\" id=\"pictures\">{_json(drawn)}</script>"
    scripts = f"<script>{_vega()}</script><script>{script}</script>" if pictures else ""
    return f"{head}{body}<footer>{_t(held.foot)}</footer></main>{data}{scripts}</body></html>\n".encode()


# -- safety --------------------------------------------------------------------------------------------------------------------------------

def _t(value: object) -> str:
    """Text that can be nothing but text."""
    return escape("".join(letter for letter in str(value) if letter >= " " or letter in "\n\t"))


def _json(value: Any) -> str:
    """JSON in which nothing can end the element that it stands in."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    for letter in "<>&\u2028\u2029":
        text = text.replace(letter, f"\\u{ord(letter):04x}")
    return text


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


@cache
def _vega() -> str:
    """Vega, Vega-Lite and Vega-Embed as one script without imports."""
    import vl_convert  # 50 MB, and only needed here

    bundle = vl_convert.javascript_bundle()
    if "</script" in bundle.lower() or "<!--" in bundle:
        raise ValueError("the script of the charts cannot stand in a page")
    return bundle


def _style() -> str:
    def colours(look: Mapping[str, str]) -> str:
        return ";".join(f"--{name}:{colour}" for name, colour in look.items())

    return _STYLE.replace("@LIGHT@", colours(LIGHT)).replace("@DARK@", colours(DARK)).replace("@FONT@", FONT)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return json.loads(frame.to_json(orient="records", date_format="iso", double_precision=15))


# -- the page ------------------------------------------------------------------------------------------------------------------------------

def _body(held: Minutes, pictures: Sequence[Picture], receipts: Sequence[Receipt]) -> Iterable[str]:
    yield f"<header><h1>{_t(held.title)}</h1><p class=\"soft\">{_t(held.held)}</p>"
    yield f"<p class=\"answer\">{_t(held.answer)}</p>" if held.answer else ""
    facts = {**held.stands, **{f"Present, {functions((name,))}": ", ".join(who) for name, who in held.present.items()}}
    facts |= {"Nothing decided, because": held.reason} if held.reason else {}
    facts |= {"Published": f"as publication {held.publication}, seal {held.seal}"} if held.seal else {}
    facts |= {"Audit log": f"anchor {held.anchor}"} if held.anchor else {}
    yield "<dl>" + "".join(f"<dt>{_t(name)}</dt><dd>{_t(text)}</dd>" for name, text in facts.items()) + "</dl></header>"
    yield "<section><h2>Decisions</h2>" + (_table(("Question", "State", "Decided, or why not", "Screen", "By"), ([one.title, one.state, one.text, one.screen, one.by] for one in held.decisions))
                                           if held.decisions else f"<p>{_t(held.reason or 'Nothing was decided.')}</p>") + "</section>"
    yield "<section><h2>Actions</h2>" + (_tasks(held.actions, held) if held.actions else "<p>No action was raised.</p>") + "</section>"
    if held.last:
        yield "<section><h2>What became of the actions before</h2>" + _tasks(held.last, held, judged=True) + "</section>"
    placed = {one.id for one in held.agenda}
    for item in held.agenda:
        yield from _item(item, [(place, one) for place, one in enumerate(pictures) if one.screen == item.id])
    rest = [(place, one) for place, one in enumerate(pictures) if one.screen not in placed]
    if rest:
        yield "<section><h2>Charts</h2>" + "".join(_figure(place, one) for place, one in rest) + "</section>"
    if held.lines:
        yield "<section><h2>All numbers</h2><div class=\"scroll\">" + _numbers(held.lines) + "</div>"
        yield "".join(_series(line) for line in held.lines if len(line.series))
        yield "</section>"
        yield "<section><h2>Definitions</h2>" + "".join(
            f"<details><summary>{_t(card.label)}</summary><p>{_t(card.question)}</p><p>{_t(card.definition)}</p><p class=\"soft\"><code>{_t(card.id)}</code></p></details>"
            for card in {line.card.id: line.card for line in held.lines}.values()) + "</section>"
    if receipts:
        yield "<section><h2>Receipts</h2>" + "".join(_receipt(one) for one in receipts) + "</section>"


def _item(item: Item, pictures: Sequence[tuple[int, Picture]]) -> Iterable[str]:
    used = f"{item.used:.0f} of {item.planned} minutes" if item.planned else f"{item.used:.0f} minutes"
    yield f"<section><h2>{_t(item.title)}</h2><p class=\"finding\">{_t(item.finding)}</p><p class=\"soft\">{used}{' · ' + _t(item.note) if item.note else ''}</p>"
    if item.lines:
        yield "<div class=\"tiles\">" + "".join(_tile(line) for line in item.lines) + "</div>"
    yield "".join(_figure(place, one) for place, one in pictures)
    yield (_table(item.table.heads, item.table.rows) if item.table is not None else "") + "</section>"


def _tile(line: Line) -> str:
    target = f"target {units.text(line.target, line.measure.unit, line.currency)}" if line.target == line.target else ""
    before = f"{line.change} on {line.before_period.name}" if line.change != units.MISSING and line.before_period else ""
    under = [line.sentence, line.sample, before, target, line.verdict]
    return f"<div class=\"tile\"><b>{_t(line.label)}</b><span>{_t(line.text)}</span>" + "".join(f"<small>{_t(part)}</small>" for part in under if part) + "</div>"


def _figure(place: int, one: Picture) -> str:
    plots = "".join(f"<div class=\"plot {theme}\" id=\"p{place}-{theme}\"></div>" for theme in ("light", "dark"))
    return f"<figure role=\"group\" aria-label=\"{_t(one.alt)}\"><h3>{_t(one.title)}</h3><div class=\"scroll\">{plots}</div><figcaption>{_t(one.alt)}</figcaption></figure>"


_DONE = {"draft": "not complete", "cancelled": "given up"}  # states that are written otherwise than they are named


def _tasks(tasks: Sequence[Task], held: Minutes, judged: bool = False) -> str:
    today = (held.as_of if pd.isna(held.closed_at) else held.closed_at).tz_convert(held.zone).date()
    rows = ([one.title, one.owner, one.function, _due(one, today), _DONE.get(one.state, one.state), one.success, *([one.verdict, one.sentence] if judged else [one.screen])] for one in tasks)
    return _table(("Action", "Owner", "Function", "Due", "State", "Measure of success", *(("Verdict", "Why") if judged else ("Screen",))), rows, marked=True)


def _due(one: Task, today: Any) -> tuple[str, bool]:
    return (day(one.due) if one.due else "no deadline yet", bool(one.due and one.state == "open" and one.due < today))


def _table(headings: Sequence[str], rows: Iterable[Sequence[Any]], marked: bool = False) -> str:
    head = "".join(f"<th scope=\"col\">{_t(one)}</th>" for one in headings)
    cells = ("".join(f"<td class=\"late\">{_t(cell[0])}, overdue</td>" if isinstance(cell, tuple) and cell[1] else f"<td>{_t(cell[0] if isinstance(cell, tuple) else cell)}</td>" for cell in row)
             for row in rows)
    return f"<div class=\"scroll\"><table><thead><tr>{head}</tr></thead><tbody>" + "".join(f"<tr>{row}</tr>" for row in cells) + "</tbody></table></div>"


def _number(value: float, text: str) -> str:
    """A cell with a number: as it is written, and exactly as an attribute."""
    return f"<td class=\"n\" data-value=\"{value!r}\">{_t(text)}</td>" if value == value else f"<td class=\"n\">{_t(text)}</td>"


def _numbers(lines: Sequence[Line]) -> str:
    def row(line: Line) -> str:
        unit = line.measure.unit
        return (f"<tr data-metric=\"{_t(line.card.id)}\" data-measure=\"{_t(line.stat)}\"><td>{_t(line.label)}</td>{_number(line.value, line.text)}<td>{_t(line.sample)}</td>"
                f"{_number(line.before, units.text(line.before, unit, line.currency))}<td class=\"n\">{_t(line.change)}</td>{_number(line.target, units.text(line.target, unit, line.currency))}"
                f"<td>{_t(line.interval)}</td><td>{_t(' '.join(part for part in (line.sentence, line.verdict, *line.notes) if part))}</td></tr>")

    heads = (("Number", ""), ("Value", "n"), ("Stands on", ""), ("Before", "n"), ("Change", "n"), ("Target", "n"), ("95 % interval", ""), ("Remarks", ""))
    return ("<table id=\"numbers\"><thead><tr>" + "".join(f"<th scope=\"col\" class=\"{kind}\">{name}</th>" for name, kind in heads) + "</tr></thead><tbody>"
            + "".join(row(line) for line in lines) + "</tbody></table>")


def _series(line: Line) -> str:
    unit = line.measure.unit
    rows = "".join(f"<tr><td>{_t(written(row['period']))}{' (running)' if row.get('running') else ''}</td>"
                   + (_number(row["value"], line.measure.x_of_n(row["numerator"], row["denominator"], line.currency) if row.get("flag") == "suppress" and row.get("denominator") == row.get("denominator")
                              else units.text(row["value"], unit, line.currency)))
                   + f"<td class=\"n\">{units.text(row.get('n'), units.RECORDS)}</td></tr>" for row in line.series.to_dict("records"))
    return (f"<details class=\"series\"><summary>{_t(line.label)} by period</summary><table><thead><tr><th scope=\"col\">Period</th><th scope=\"col\" class=\"n\">Value</th>"
            f"<th scope=\"col\" class=\"n\">n</th></tr></thead><tbody>{rows}</tbody></table></details>")


def _receipt(one: Receipt) -> str:
    facts = "".join(f"<dt>{_t(name)}</dt><dd>{_t(text)}</dd>" for name, text in one.as_rows().items())
    return f"<details><summary>{_t(one.label)}: {_t(one.shown)}</summary><dl>{facts}</dl></details>"
