"""The world in a box: every part the application needs, started on this machine under one roof."""
