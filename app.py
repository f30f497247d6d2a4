"""revscore in the browser: `streamlit run app.py`."""

from revscore.ui import menu

page = menu.page()  # before the rest is imported: the first start shows its pages at once

from revscore.ui import frame  # noqa: E402

frame.run(page)
