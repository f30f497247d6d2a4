"""The generator of the sample company: a seeded simulation of Northlight Software's leads, deals, touches and terms."""
