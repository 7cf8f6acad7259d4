-- The largest tables of this database. Sizes are relpages, as of the last vacuum or analyze: the functions that look
-- at the files take locks, and would wait behind a DDL that waits itself.
SELECT c.oid::int8 AS oid, n.nspname::text AS schema, c.relname::text AS name, count(*) OVER () AS total,
       (c.relpages + coalesce(t.relpages, 0))::int8 * b.size AS table_bytes, coalesce(i.pages, 0)::int8 * b.size AS index_bytes,
       s.n_live_tup AS live, s.n_dead_tup AS dead, s.n_mod_since_analyze AS modified,
       s.seq_scan AS seq_scans, s.seq_tup_read AS seq_rows, s.idx_scan AS index_scans,
       extract(epoch FROM b.now - s.last_vacuum)::float8 AS vacuum_ago_s,
       extract(epoch FROM b.now - s.last_autovacuum)::float8 AS autovacuum_ago_s,
       extract(epoch FROM b.now - s.last_analyze)::float8 AS analyze_ago_s,
       extract(epoch FROM b.now - s.last_autoanalyze)::float8 AS autoanalyze_ago_s,
       coalesce(array_to_string(c.reloptions, ',') ~ 'autovacuum_enabled=(false|off|0|no)', false) AS is_autovacuum_off,
       has_table_privilege(c.oid, 'SELECT') AS may_select
  FROM pg_class c
  JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_class t ON t.oid = c.reltoastrelid
  LEFT JOIN LATERAL (SELECT sum(ic.relpages) AS pages FROM pg_index x JOIN pg_class ic ON ic.oid = x.indexrelid
                      WHERE x.indrelid = c.oid) i ON true
  LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
 CROSS JOIN (SELECT clock_timestamp() AS now, current_setting('block_size')::int8 AS size OFFSET 0) b
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't' AND n.nspname NOT IN ('pg_catalog', 'information_schema')
   AND n.nspname !~ '^pg_(toast|temp)'
 ORDER BY c.relpages + coalesce(t.relpages, 0) + coalesce(i.pages, 0) DESC, c.oid LIMIT 200
