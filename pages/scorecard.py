"""Scorecard: are we on course, together?"""

from revscore.rhythm.scorecard import scorecard
from revscore.ui import answers, frame, tiles

if now := frame.open_page("Scorecard"):
    review = now.ask(scorecard)
    answers.course(review)
    for title, question, group in review.groups:
        answers.section(title, question)
        tiles.row(now, group)
