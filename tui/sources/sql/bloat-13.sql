-- An estimate of the space that no row takes, from the planner's statistics, for tables of more than 1,000 pages; what
-- this role may not select has no statistics to see. It was within a few percent of what pgstattuple measures.
SELECT e.oid, greatest(0, e.pages - ceil(e.rows * (8 * ceil((23 + CASE WHEN e.nulls THEN (e.columns + 7) / 8 ELSE 0 END) / 8.0)
         + 8 * ceil(e.width / 8.0) + 4) / ((e.block - 24) * e.fill / 100.0)))::int8 * e.block AS bytes
  FROM (SELECT c.oid::int8 AS oid, c.relpages::int8 AS pages, c.reltuples::float8 AS rows,
               current_setting('block_size')::int8 AS block,
               coalesce((SELECT option_value::int FROM pg_options_to_table(c.reloptions)
                          WHERE option_name = 'fillfactor'), 100) AS fill,
               w.width, w.columns, w.nulls
          FROM (SELECT * FROM pg_class WHERE relkind = 'r' AND relpages > 1000 AND reltuples > 0
                 ORDER BY relpages DESC LIMIT 100) c
          JOIN pg_namespace n ON n.oid = c.relnamespace
         CROSS JOIN LATERAL (SELECT sum((1 - s.null_frac) * s.avg_width) AS width, count(*) AS columns,
                                    bool_or(s.null_frac > 0) AS nulls
                               FROM pg_stats s WHERE s.schemaname = n.nspname AND s.tablename = c.relname AND NOT s.inherited) w
         WHERE n.nspname NOT IN ('pg_catalog', 'information_schema') AND w.columns > 0) e
