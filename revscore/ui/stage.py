"""The stage of a meeting: a page without menu, toolbar or scroll bar whose sizes follow the screen, stepped by keys or a clicker.

The stage is laid out for 1920 × 1080 and everything on it, charts included, is scaled to the screen that shows it: what reads from four metres
on one projector reads so on another. A small component reports the size of the window and what the keys asked for; presses are counted in the
browser, so that five fast ones are five steps.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st

WIDTH, HEIGHT = 1920, 1080
LINE, LINES, ROOM = 74, 2, 730  # characters that surely fit on one line of the headline; its lines; px left for the body under two of them
LETTERS = 1.14  # letters of charts stand larger on the stage than on a page
_SCALE, _STEPPED = "stage-scale", "stage-stepped"
ROW, ROWS = 46, 8  # px of a table's row; rows of a table whose place says nothing else
_board: ContextVar[str | None] = ContextVar("board", default=None)
_tall: ContextVar[int] = ContextVar("tall", default=0)
_bare: ContextVar[bool] = ContextVar("bare", default=False)

_JS = """
export default function ({ setStateValue, setTriggerValue, parentElement }) {
  const state = (window.__revscoreStage ??= { steps: 0, size: "" });
  const dialog = () => document.querySelector('[role="dialog"]');
  state.move = (by) => { state.steps += by; clearTimeout(state.timer); state.timer = setTimeout(() => setStateValue("steps", state.steps), 60); };
  state.measure = () => { const size = `${window.innerWidth}x${window.innerHeight}`; if (size !== state.size) { state.size = size; setStateValue("size", size); } };
  state.full = () => document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  state.ask = (key) => setTriggerValue("key", key);
  state.follow = () => { if (!dialog() && document.querySelector(".st-key-stage .st-key-stage-moved-on")) setTriggerValue("key", "follow"); };
  if (!state.listening) {
    state.listening = true;
    document.addEventListener("keydown", (event) => {
      const at = event.target;
      if (!document.querySelector(".st-key-stage") || dialog() || event.altKey || event.ctrlKey || event.metaKey || (at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)))) return;
      const by = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }[event.key], key = event.key.toLowerCase();
      if (by) { event.preventDefault(); state.move(by); }
      else if (key === "f") { event.preventDefault(); state.full(); }
      else if (["a", "d", "n"].includes(key) && !event.repeat) { event.preventDefault(); state.ask(key); }
    }, true);
    window.addEventListener("resize", () => { clearTimeout(state.resizing); state.resizing = setTimeout(() => state.measure(), 150); });
    setInterval(() => state.follow(), 1000);
  }
  const button = parentElement.querySelector("button");
  if (button) button.onclick = () => state.full();
  state.measure();
}
"""
_HTML = '<button type="button" title="Full screen (F)" aria-label="Full screen">&#x26F6;</button>'
_CSS = """button {font: inherit; font-size: 1.2rem; line-height: 1; padding: .45rem .6rem; color: inherit; background: transparent; border: 1px solid currentColor; border-radius: 8px; cursor: pointer; opacity: .7}
button:hover, button:focus-visible {opacity: 1}"""
_component = st.components.v2.component("revscore_stage", html=_HTML, css=_CSS, js=_JS)


# -- the size of things --------------------------------------------------------------------------------------------------------------------

def scale() -> float:
    """How many times the size of its drawing board the stage is shown in; 1 outside of a meeting."""
    return float(st.session_state.get(_SCALE, 1.0)) if st.session_state.get("on-stage") else 1.0


def letters() -> float:
    """How many times their usual size the letters and marks of a chart have."""
    return scale() * LETTERS if on_board() else scale()


def height(usual: int) -> int:
    """The height of a chart in px: its `usual` one, or the one that its place on the board gives it."""
    return round((_tall.get() or usual) * scale())


def on_board() -> bool:
    """Whether what is drawn now stands on the stage itself: not on a page, and not in a drawer that was opened on it."""
    return _board.get() is not None


@contextmanager
def board(said: str) -> Iterator[None]:
    """Around what is drawn on the stage under the headline `said`."""
    token = _board.set(said)
    try:
        yield
    finally:
        _board.reset(token)


@contextmanager
def drawer() -> Iterator[None]:
    """Around a drawer, which reads as it does on a page."""
    tokens = _board.set(None), _tall.set(0)
    try:
        yield
    finally:
        _board.reset(tokens[0])
        _tall.reset(tokens[1])


def bare() -> bool:
    """Whether tiles stand above a chart, and so without a trend of their own."""
    return _bare.get()


@contextmanager
def above_charts() -> Iterator[None]:
    token = _bare.set(True)
    try:
        yield
    finally:
        _bare.reset(token)


@contextmanager
def tall(px: int) -> Iterator[None]:
    """Around charts, or a table, that may be `px` high on the drawing board; never more than their place has."""
    token = _tall.set(min(px, _tall.get() or px))
    try:
        yield
    finally:
        _tall.reset(token)


def rows() -> int:
    """Rows of a table that its place on the board holds, its head not counted."""
    return max(_tall.get() // ROW - 1, 3) if _tall.get() else ROWS


def repeats(finding: str) -> bool:
    """Whether a finding says nothing that the headline of the stage does not say."""
    said = _board.get()
    return said is not None and _words(finding) <= _words(said)


def _words(text: str) -> set[str]:
    return {word.strip(".,;:").casefold() for word in text.split()}


def headline(text: str) -> str:
    """`text` as far as two lines hold it: whole clauses, from the first on. What is left out stands on the tiles below."""
    said, *rest = text.split("; ")
    for clause in rest:
        if len(said) + len(clause) + 2 > LINES * LINE:
            break
        said = f"{said}; {clause}"
    return said


def room(text: str) -> int:
    """Px of the drawing board that are left for the body under a headline."""
    return ROOM + (56 if len(text) <= LINE else 0)


def aside(text: str) -> str:
    """The foot of a chart without what a reader at a desk is told to do: nobody clicks on a wall."""
    return " ".join(part for part in re.split(r"(?<=[.:]) (?=[A-Z])", text) if not part.startswith(("Click ", "Choose "))) if on_board() else text


# -- on and off ----------------------------------------------------------------------------------------------------------------------------

def enter() -> None:
    """This run is shown on the stage."""
    st.session_state["on-stage"] = True
    st.html(f"<style>html {{font-size: {20 * scale():.2f}px}}{_STYLE}</style>")


def leave() -> None:
    st.session_state["on-stage"] = False


def controls() -> tuple[int, str]:
    """The button for the full screen; how many screens the keys asked to step since the last run (back: less than 0), and which other key was pressed."""
    found = _component(key="stage-controls", on_size_change=_measured, on_steps_change=lambda: None, on_key_change=lambda: None)
    pressed = int(found.steps) if getattr(found, "steps", None) is not None else None
    before = st.session_state.get(_STEPPED, pressed or 0)  # a session that finds presses begins after them: the server was started again under an open window
    st.session_state[_STEPPED] = before if pressed is None else pressed
    return 0 if pressed is None else pressed - before, str(getattr(found, "key", None) or "")


def _measured() -> None:
    size = str(st.session_state["stage-controls"].get("size") or "")
    width, _, height_ = size.partition("x")
    if width.isdigit() and height_.isdigit():
        st.session_state[_SCALE] = round(max(0.45, min(int(width) / WIDTH, int(height_) / HEIGHT)), 3)


_STYLE = """
[data-testid="stHeader"], [data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], [data-testid="stToolbar"], [data-testid="stExpandSidebarButton"], [data-testid="stStatusWidget"] {display: none !important}
[data-testid="stMain"], [data-testid="stApp"] {overflow: hidden !important}
[data-testid="stMainBlockContainer"] {padding: .8rem 2.4rem 0 !important; max-width: none; height: 100vh; overflow: hidden}
[data-testid="stMainBlockContainer"] > [data-testid="stVerticalBlock"] {gap: 0}
.st-key-stage {flex: none !important; height: calc(100vh - .8rem); gap: .6rem; flex-wrap: nowrap; overflow: hidden}
.st-key-stage > [data-testid="stLayoutWrapper"] {flex: none}
.st-key-stage > [data-testid="stLayoutWrapper"]:has(> .st-key-stage-body) {flex: 1 1 0; min-height: 0; overflow: hidden}
.st-key-stage > [data-testid="stLayoutWrapper"]:has(> .st-key-stage-foot) {margin-top: auto}
.st-key-stage [data-testid="stElementToolbar"] {display: none}
.st-key-stage [data-testid="stMarkdownContainer"], .st-key-stage [data-testid="stMarkdownContainer"] p {margin-bottom: 0}
.st-key-stage-head {height: 1.6rem; flex-wrap: nowrap; overflow: hidden}
.st-key-stage-head p {font-size: 1.05rem; line-height: 1.5rem; white-space: nowrap}
.st-key-stage-question p {font-size: 1.25rem; line-height: 1.5rem}
.st-key-stage-question h1 {font-size: 2.3rem; line-height: 2.8rem; padding: 0}
.st-key-stage-body {gap: .6rem; overflow: hidden; height: 100%; justify-content: flex-start}
.st-key-stage-body > [data-testid="stLayoutWrapper"] {flex: none !important; height: auto !important}
.st-key-stage-body [data-testid="stMarkdown"] p {font-size: 1.05rem}
.st-key-stage-body [data-testid="stHeadingWithActionElements"] a, .st-key-stage-body [data-testid="stHeaderActionElements"] {display: none}
.st-key-stage-body [class*="st-key-tile-"] {padding: .55rem .9rem .5rem}
.st-key-stage-body [data-testid="stMetricValue"], .st-key-stage-body [data-testid="stMetricValue"] p {font-size: 2.7rem}
.st-key-stage-body [data-testid="stMetricLabel"] p, .st-key-stage-body [data-testid="stMetricDelta"], .st-key-stage-body [data-testid="stMetricDeltaDescription"] p {font-size: 1.05rem}
.st-key-stage-body [data-testid="stCaptionContainer"] p {font-size: 1rem; line-height: 1.35}
.st-key-stage-body [class*="st-key-finding-"] h3 {font-size: 1.4rem}
.st-key-stage-body [class*="st-key-chart-"] {padding: .7rem 1rem .6rem; gap: .4rem}
.st-key-stage-body [data-testid="stTable"] {overflow: hidden}
.st-key-stage-body [data-testid="stTable"] table {font-size: 1.1rem; width: 100%}
.st-key-stage-body [data-testid="stTable"] p {font-size: 1.1rem}
.st-key-stage-body [data-testid="stTable"] :is(th, td) {padding: .33rem .6rem; border-left: 0; border-right: 0; white-space: nowrap; max-width: 40rem; overflow: hidden; text-overflow: ellipsis}
.st-key-stage-body [data-testid="stTable"] :is(th, td) * {white-space: nowrap; max-width: none !important}
.st-key-board-evidence [data-testid="stTable"] :is(th, td):nth-child(3), .st-key-board-evidence [data-testid="stTable"] :is(th, td):nth-child(3) * {white-space: normal !important; max-width: none}
.st-key-stage-body [class*="st-key-large-"] [data-testid="stTable"] :is(td, td p) {font-size: 1.5rem}
.st-key-stage-body [class*="st-key-large-"] [data-testid="stTable"] :is(th, td) {padding: .7rem .6rem}
.st-key-stage-body [data-testid="stTable"] th, .st-key-stage-body [data-testid="stTable"] th p {font-size: 1rem; opacity: .85}
.st-key-stage-body [class*="st-key-open-"] button, .st-key-stage-body [class*="st-key-rows-"] button {opacity: .55}
.st-key-stage-body button p, .st-key-stage-body label p {font-size: 1.05rem}
.st-key-stage-chips {height: 1.7rem; overflow: hidden; flex-wrap: nowrap; gap: 1.2rem}
.st-key-stage-chips p {font-size: 1.05rem; white-space: nowrap; max-width: 30rem; overflow: hidden; text-overflow: ellipsis}
.st-key-stage-controls {flex: none !important; width: auto !important}
.st-key-stage-foot {height: 3rem; padding-bottom: .5rem; flex-wrap: nowrap; overflow: hidden}
.st-key-stage-foot button p {font-size: 1rem; white-space: nowrap}
"""
