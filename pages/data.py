"""Data: bring extracts in, see what became of every row, and what they allow."""

from revscore.ui import data_page, frame

if frame.stands():
    data_page.show(frame.shown())
else:
    frame.begin()
