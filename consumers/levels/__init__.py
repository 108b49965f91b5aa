"""Level tokens: the picture of each level and the metadata of each token; docs/levels.md."""

from consumers.levels.emblem import CONTENT_TYPE, emblem
from consumers.levels.token import image_cid, metadata, sealed

__all__ = ["CONTENT_TYPE", "emblem", "image_cid", "metadata", "sealed"]
