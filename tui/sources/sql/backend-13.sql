-- One backend as an action sees it: what it does, whose it is, whether this role may signal it, and which server answers.
SELECT a.pid, a.backend_start, a.query_start, a.backend_type, a.state, a.wait_event_type, a.wait_event,
       a.application_name AS application, d.datname::text AS database, r.rolname::text AS role,
       coalesce(r.rolsuper, false) AS is_superusers,
       coalesce(pg_has_role(current_user, a.usesysid, 'USAGE'), false) AS is_own_roles,
       extract(epoch FROM clock_timestamp() - a.xact_start)::float4 AS transaction_s,
       extract(epoch FROM clock_timestamp() - a.query_start)::float4 AS query_s,
       extract(epoch FROM clock_timestamp() - a.state_change)::float4 AS state_s,
       left(a.query, 200) AS query, md5(a.query) AS query_md5, a.query ILIKE '%to prevent wraparound%' AS is_wraparound
  FROM pg_stat_get_activity($1) a
  LEFT JOIN pg_database d ON d.oid = a.datid
  LEFT JOIN pg_roles r ON r.oid = a.usesysid
