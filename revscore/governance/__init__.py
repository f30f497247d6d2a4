"""Governance: what reviews published, worked out again, and why it reads differently today. Knows `core` and `store`."""
