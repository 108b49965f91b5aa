"""One file a subject; each has a `router` that `api/app.py` finds by its file's name."""
