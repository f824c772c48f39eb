"""The console: server-rendered pages for people who would rather look than read a log file."""
