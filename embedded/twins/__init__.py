"""Twins: the vendors' wire protocols on 127.0.0.1, with faults on demand.

`python -m embedded.twins` serves each twin on a port of its own. A twin is written from the spec
(`providers.md`) and proves nothing about the real vendor: every twin's docstring says which of its
behaviours were read in a source and which are from memory.

    front.py     one twin on one port: control plane (`contract.md` §11), then vendor paths
    script.py    what happens to the next matching calls
    journal.py   the effects performed, kept over restarts, and the twin's clock
    shelf.py     files that a twin keeps for ever
    wire.py      a call and an answer; a connection that really breaks
    tokens.py    who signs ID tokens, and the set that shows the key
    paint.py     the portraits
    works.py     work that takes a while, and telling whoever asked
    shop_*.py    behind shopify.py: the shop's books and webhooks, its GraphQL and what that costs
    seedream.py, openai.py, …    one file a vendor; web.py is the rest of the web
"""
