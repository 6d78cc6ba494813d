"""Formats: the texts in which public instances come, each read into a Problem with its own scale."""

from routing.formats.instance import Instance
from routing.formats.numbered import Malformed
from routing.formats.reading import parse, read

__all__ = ["Instance", "Malformed", "parse", "read"]
