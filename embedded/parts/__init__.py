"""One module a part: what to run, how to tell that it is well, and which settings it gives."""
