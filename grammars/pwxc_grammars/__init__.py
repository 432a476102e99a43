"""The grammars of the small languages inside workflow files, as package data."""
