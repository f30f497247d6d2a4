"""Glossary: what every number means, in the words that it is computed by."""

from revscore.ui import frame
from revscore.ui.blocks import glossary

if now := frame.open_page("Glossary"):
    glossary.glossary(now)
