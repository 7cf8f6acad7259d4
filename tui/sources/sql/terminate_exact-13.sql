-- Find and signal in one statement: the server it was seen on, and the session by pid and start.
SELECT pg_terminate_backend(a.pid) AS sent
  FROM pg_stat_get_activity($7) a
 WHERE pg_postmaster_start_time() = $1 AND current_database()::text = $2 AND pg_is_in_recovery() = $3
   AND host(inet_server_addr()) IS NOT DISTINCT FROM $4 AND inet_server_port() IS NOT DISTINCT FROM $5
   AND {system_identifier} IS NOT DISTINCT FROM $6::bigint
   AND a.backend_start = $8 AND a.backend_type = $9 AND a.pid <> pg_backend_pid()
