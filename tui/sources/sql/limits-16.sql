-- How many connections there may be: of the server, and of databases and roles with a limit of their own.
SELECT 'server' AS kind, '' AS name, current_setting('max_connections')::int AS connections,
       current_setting('superuser_reserved_connections')::int + current_setting('reserved_connections')::int AS reserved
 UNION ALL SELECT 'database', datname::text, datconnlimit, 0 FROM pg_database WHERE datconnlimit >= 0
 UNION ALL SELECT 'role', rolname::text, rolconnlimit, 0 FROM pg_roles WHERE rolconnlimit >= 0
