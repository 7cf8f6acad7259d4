-- The table that an index belongs to.
SELECT tn.nspname::text AS schema, t.relname::text AS name
  FROM pg_index i
  JOIN pg_class c ON c.oid = i.indexrelid
  JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_class t ON t.oid = i.indrelid
  JOIN pg_namespace tn ON tn.oid = t.relnamespace
 WHERE n.nspname = $1 AND c.relname = $2
