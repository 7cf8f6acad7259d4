-- Find and signal in one statement: the session, its statement by start and hash, and the server it was seen on.
-- pg_stat_get_activity(pid) reads one slot; the view would scan all of them and widen the window between look and signal.
SELECT pg_cancel_backend(a.pid) AS sent
  FROM pg_stat_get_activity($1) a
 WHERE a.backend_start = $2 AND a.query_start IS NOT DISTINCT FROM $3 AND md5(a.query) = $4
   AND a.state = 'active' AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
   AND pg_postmaster_start_time() = $5 AND current_database()::text = $6 AND pg_is_in_recovery() = $7
   AND host(inet_server_addr()) IS NOT DISTINCT FROM $8 AND inet_server_port() IS NOT DISTINCT FROM $9
