"""Ringback: the self-hosted system of record for what a phone call was worth."""

__version__ = "0.1.0"
