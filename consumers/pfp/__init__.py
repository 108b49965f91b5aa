"""Portraits in pixel art on a glass tube, each drawn from a seed of 32 bytes; docs/pfp.md."""

from consumers.pfp.portrait import CONTENT_TYPE, SYMBOL, Portrait, generate, metadata
from consumers.pfp.traits import Trait

__all__ = ["CONTENT_TYPE", "SYMBOL", "Portrait", "Trait", "generate", "metadata"]
