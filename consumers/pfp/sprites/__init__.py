"""The drawings, a module for each part of a portrait.

Heads stand between x 9 and 22, the eyes on rows 13 and 14, the mouth on rows 18 and 19, so that
whatever is drawn for one head fits all.
"""
