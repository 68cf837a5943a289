"""Systemd's timers and the services they start."""
