-- characters --
SELECT character_id, pass_id, view::text FROM views.characters WHERE character_id = ANY (%s);

-- mint_orders --
SELECT order_id, pass_id, view::text FROM views.mint_orders WHERE order_id = ANY (%s);

-- characters_of --
SELECT position, view::text FROM views.characters
WHERE pass_id = ANY (%(names)s) AND position > %(after)s
ORDER BY position
LIMIT %(limit)s;

-- positions --
SELECT name, position FROM views.projections;
