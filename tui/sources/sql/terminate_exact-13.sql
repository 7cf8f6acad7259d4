-- Find and signal in one statement: the session by pid and start, and the server it was seen on.
SELECT pg_terminate_backend(a.pid) AS sent
  FROM pg_stat_get_activity($1) a
 WHERE a.backend_start = $2 AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
   AND pg_postmaster_start_time() = $3 AND current_database()::text = $4 AND pg_is_in_recovery() = $5
   AND host(inet_server_addr()) IS NOT DISTINCT FROM $6 AND inet_server_port() IS NOT DISTINCT FROM $7
