-- As terminate_exact, and only while the session has been in that state for that long.
SELECT pg_terminate_backend(a.pid) AS sent
  FROM pg_stat_get_activity($7) a
 WHERE pg_postmaster_start_time() = $1 AND current_database()::text = $2 AND pg_is_in_recovery() = $3
   AND host(inet_server_addr()) IS NOT DISTINCT FROM $4 AND inet_server_port() IS NOT DISTINCT FROM $5
   AND {system_identifier} IS NOT DISTINCT FROM $6::bigint
   AND a.backend_start = $8 AND a.backend_type = $9 AND a.pid <> pg_backend_pid()
   AND a.state = $10
   AND clock_timestamp() - CASE a.state WHEN 'active' THEN a.query_start ELSE a.state_change END
       >= make_interval(secs => $11)
