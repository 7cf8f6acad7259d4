-- Indexes that are worth a look first, then the largest. Those of one group have the same columns, operators and
-- predicate: one of them is enough. The definitions are made of those that are left, for they cost the most.
SELECT y.*, pg_get_indexdef(y.oid::oid) AS definition
  FROM (SELECT x.* FROM (SELECT i.indexrelid::int8 AS oid, n.nspname::text AS schema, t.relname::text AS table, c.relname::text AS name,
               c.relpages::int8 * current_setting('block_size')::int8 AS bytes, count(*) OVER () AS total,
               pg_stat_get_numscans(i.indexrelid) AS scans, NULL::float8 AS scanned_ago_s,
               i.indisunique AS is_unique, i.indisprimary AS is_primary, i.indisexclusion AS is_exclusion,
               i.indisreplident AS is_replica_identity, i.indisvalid AS is_valid,
               string_agg(c.relname::text, E'\n') OVER (PARTITION BY i.indrelid, i.indkey::text, i.indclass::text,
                 i.indcollation::text, i.indoption::text, coalesce(pg_get_expr(i.indexprs, i.indrelid), ''),
                 coalesce(pg_get_expr(i.indpred, i.indrelid), ''), i.indisunique) AS alike,
               (SELECT extract(epoch FROM clock_timestamp() - d.stats_reset)::float8 FROM pg_stat_database d
                 WHERE d.datname = current_database()) AS counted_s
          FROM pg_index i
          JOIN pg_class c ON c.oid = i.indexrelid
          JOIN pg_class t ON t.oid = i.indrelid
          JOIN pg_namespace n ON n.oid = c.relnamespace
         WHERE i.indislive AND c.relkind = 'i' AND c.relpersistence <> 't'
           AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)') x
 ORDER BY x.is_valid, (x.scans = 0 AND NOT x.is_unique AND NOT x.is_exclusion) OR position(E'\n' IN x.alike) > 0 DESC,
          x.bytes DESC, x.oid LIMIT 200) y
