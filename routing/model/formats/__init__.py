"""Formats: the texts in which public instances come, each read into a Problem with its own scale."""

from routing.model.formats.instance import Instance
from routing.model.formats.numbered import Malformed
from routing.model.formats.reading import parse, read

__all__ = ["Instance", "Malformed", "parse", "read"]
