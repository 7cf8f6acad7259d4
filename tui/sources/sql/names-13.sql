-- Names behind the oids of pg_stat_statements.
SELECT 'role' AS kind, oid::int8 AS oid, rolname::text AS name FROM pg_roles
 UNION ALL SELECT 'database', oid::int8, datname::text FROM pg_database
