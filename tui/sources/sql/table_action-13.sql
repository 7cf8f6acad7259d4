-- One table as an action sees it: what it is, when it was vacuumed, and whether this role may do that.
SELECT c.oid::int8 AS oid, c.relkind::text AS kind, quote_ident(n.nspname) || '.' || quote_ident(c.relname) AS sql_name,
       c.relpages::int8 * current_setting('block_size')::int8 AS bytes, c.reltuples::float8 AS rows,
       s.n_dead_tup AS dead, s.last_vacuum, s.last_analyze,
       coalesce(pg_has_role(current_user, c.relowner, 'USAGE'), false) AS is_own,
       coalesce(pg_has_role(current_user, c.relowner, 'USAGE')
         OR (SELECT pg_has_role(current_user, d.datdba, 'USAGE') FROM pg_database d WHERE d.datname = current_database())
         , false) AS may_maintain,
       has_schema_privilege(n.oid, 'CREATE') AS may_create, current_user::text AS role
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace LEFT JOIN pg_stat_all_tables s ON s.relid = c.oid
 WHERE n.nspname = $1 AND c.relname = $2
