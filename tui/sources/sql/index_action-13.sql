-- The indexes of one table, by its own oid or by that of one of them.
SELECT i.indexrelid::int8 AS oid, c.relname::text AS name, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS sql_name,
       i.indisvalid AND i.indisready AS is_valid, c.relpages::int8 * current_setting('block_size')::int8 AS bytes
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE i.indrelid = $1::int8::oid ORDER BY c.relname
