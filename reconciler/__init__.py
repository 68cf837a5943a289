"""Deciding (pure), acting (dumb) and the loop that alone owns clock, timers and signals."""
