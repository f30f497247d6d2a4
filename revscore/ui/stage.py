"""The stage of a meeting: a page without menu, toolbar or scroll bar whose sizes follow the screen, stepped by keys or a clicker.

The stage is laid out for 1920 × 1080 and everything on it, charts included, is scaled to the screen that shows it: what reads from four metres
on one projector reads so on another. A small component reports the size of the window and the steps that the keys asked for; fast presses are
counted in the browser, so that five of them are five steps.
"""

from __future__ import annotations

import streamlit as st

WIDTH, HEIGHT = 1920, 1080
_SCALE = "stage-scale"

_JS = """
export default function ({ data, setStateValue, setTriggerValue, parentElement }) {
  const state = (window.__revscoreStage ??= { steps: 0, size: "" });
  state.move = (by) => { state.steps += by; clearTimeout(state.timer); state.timer = setTimeout(() => { const steps = state.steps; state.steps = 0; if (steps) setTriggerValue("steps", steps); }, 90); };
  state.measure = () => { const size = `${window.innerWidth}x${window.innerHeight}`; if (size !== state.size) { state.size = size; setStateValue("size", size); } };
  state.full = () => document.fullscreenElement ? document.exitFullscreen() : document.documentElement.requestFullscreen();
  if (!state.listening) {
    state.listening = true;
    document.addEventListener("keydown", (event) => {
      const at = event.target, open = document.querySelector('[role="dialog"]');
      if (!document.querySelector(".st-key-stage") || open || event.altKey || event.ctrlKey || event.metaKey || (at && (at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)))) return;
      const by = { ArrowRight: 1, PageDown: 1, ArrowLeft: -1, PageUp: -1 }[event.key];
      if (by) { event.preventDefault(); state.move(by); }
      if (event.key === "f" || event.key === "F") { event.preventDefault(); state.full(); }
    }, true);
    window.addEventListener("resize", () => { clearTimeout(state.resizing); state.resizing = setTimeout(() => state.measure(), 150); });
  }
  const button = parentElement.querySelector("button");
  if (button) button.onclick = () => state.full();
  state.measure();
}
"""
_HTML = '<button type="button" title="Full screen (F)" aria-label="Full screen">&#x26F6;</button>'
_CSS = """button {font: inherit; font-size: 1.3rem; line-height: 1; padding: .35rem .55rem; color: inherit; background: transparent; border: 1px solid currentColor; border-radius: 8px; cursor: pointer; opacity: .75}
button:hover, button:focus-visible {opacity: 1}"""
_component = st.components.v2.component("revscore_stage", html=_HTML, css=_CSS, js=_JS)


def scale() -> float:
    """How many times the size of its drawing board the stage is shown in; 1 outside of a meeting."""
    return float(st.session_state.get(_SCALE, 1.0)) if st.session_state.get("on-stage") else 1.0


def enter() -> None:
    """This run is shown on the stage."""
    st.session_state["on-stage"] = True
    k = scale()
    st.html(f"<style>html {{font-size: {20 * k:.2f}px}}{_STYLE}</style>")


def leave() -> None:
    st.session_state["on-stage"] = False


def controls() -> int:
    """The button for the full screen, and how many screens the keys asked to step since the last run (back: less than 0)."""
    found = _component(key="stage-controls", on_size_change=_measured, on_steps_change=lambda: None)
    return int(found.steps or 0) if getattr(found, "steps", None) else 0


def _measured() -> None:
    size = str(st.session_state["stage-controls"].get("size") or "")
    width, _, height = size.partition("x")
    if width.isdigit() and height.isdigit():
        st.session_state[_SCALE] = round(max(0.45, min(int(width) / WIDTH, int(height) / HEIGHT)), 3)


_STYLE = """
[data-testid="stHeader"], [data-testid="stSidebar"], [data-testid="stSidebarCollapsedControl"], [data-testid="stToolbar"], [data-testid="stExpandSidebarButton"] {display: none !important}
[data-testid="stMain"], [data-testid="stApp"] {overflow: hidden !important}
[data-testid="stMainBlockContainer"] {padding: 1rem 2.4rem .6rem !important; max-width: none; height: 100vh; overflow: hidden}
.st-key-stage {height: calc(100vh - 1.7rem); gap: .7rem; flex-wrap: nowrap}
.st-key-stage-head, .st-key-stage-foot {flex: none}
.st-key-stage-head p {font-size: 1.05rem}
.st-key-stage-question p {font-size: 1.25rem}
.st-key-stage-question h1 {font-size: 2.3rem; line-height: 1.22; padding: 0}
.st-key-stage-body {flex: 1 1 auto; min-height: 0; overflow: hidden; gap: .8rem}
.st-key-stage [data-testid="stCaptionContainer"] p {font-size: 1rem}
.st-key-stage [data-testid="stMetricLabel"] p {font-size: 1.1rem}
"""
