"""Blocks: the parts that pages place, one module a subject. Each asks one question, says the answer, then shows the drawing."""
