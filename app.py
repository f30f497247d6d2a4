"""revscore in the browser: `streamlit run app.py`."""

from revscore.ui import frame

frame.run()
