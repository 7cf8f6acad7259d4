-- Which server answers an action, and what its role may do.
SELECT pg_postmaster_start_time() AS started, current_database()::text AS database, pg_is_in_recovery() AS is_standby,
       host(inet_server_addr()) AS address, inet_server_port() AS port,
       {system_identifier} AS system_identifier, current_user::text AS role,
       coalesce((SELECT rolsuper FROM pg_roles WHERE rolname = current_user), false) AS is_superuser,
       pg_has_role(current_user, 'pg_signal_backend', 'USAGE') AS may_signal,
       coalesce((SELECT pg_has_role(current_user, oid, 'USAGE') FROM pg_roles
                  WHERE rolname = 'pg_signal_autovacuum_worker'), false) AS may_signal_autovacuum
