-- relay --
SELECT coalesce((SELECT position FROM consumers.cursors WHERE name = 'relay'), 0),
       coalesce((SELECT max(mg_position) FROM mega_generations), 0),
       (SELECT count(*) FROM consumers.unpublished);
