-- Who answers and what this role may do there; read on connect.
SELECT current_setting('server_version_num')::int AS version_num,
       split_part(version(), ' on ', 1) AS version,
       pg_is_in_recovery() AS is_standby,
       pg_postmaster_start_time() AS started,
       host(inet_server_addr()) AS address,
       inet_server_port() AS port,
       current_database()::text AS database,
       current_user::text AS role,
       pg_backend_pid() AS backend_pid,
       coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user), false) AS is_superuser,
       pg_has_role(current_user, 'pg_read_all_stats', 'USAGE') AS may_read_stats,
       pg_has_role(current_user, 'pg_signal_backend', 'USAGE') AS may_signal,
       has_function_privilege('pg_catalog.pg_control_system()', 'EXECUTE') AS may_read_system,
       (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'pg_stat_statements') AS statements_version,
       (SELECT quote_ident(n.nspname) FROM pg_extension e JOIN pg_namespace n ON n.oid = e.extnamespace
         WHERE e.extname = 'pg_stat_statements') AS statements_schema,
       current_setting('cluster_name') AS cluster_name,
       coalesce((SELECT s.ssl FROM pg_stat_ssl s WHERE s.pid = pg_backend_pid()), false) AS is_tls
