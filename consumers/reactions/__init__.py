"""Reactions: one promise, one call through a port, one outcome; the intent is recorded before."""
