"""Crontabs: Debian's cron, and what cronie, busybox and Dillon's cron write differently."""
