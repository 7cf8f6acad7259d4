-- Find and signal in one statement: the server it was seen on, the session, its statement by start and hash.
-- pg_stat_get_activity(pid) reads one slot; the view would scan all of them and widen the window between look and signal.
-- What is asked of the server is compared once, before the slot is read: the control file does not widen it either.
SELECT pg_cancel_backend(a.pid) AS sent
  FROM pg_stat_get_activity($7) a
 WHERE pg_postmaster_start_time() = $1 AND current_database()::text = $2 AND pg_is_in_recovery() = $3
   AND host(inet_server_addr()) IS NOT DISTINCT FROM $4 AND inet_server_port() IS NOT DISTINCT FROM $5
   AND {system_identifier} IS NOT DISTINCT FROM $6::bigint
   AND a.backend_start = $8 AND a.backend_type = $9 AND a.pid <> pg_backend_pid()
   AND a.query_start IS NOT DISTINCT FROM $10 AND md5(a.query) = $11 AND a.state = 'active'
