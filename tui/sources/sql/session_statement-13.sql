-- One session's newest statement, whole, and what decides where its names lead: its database, its role's search path.
SELECT a.query, a.datname::text AS database, a.usename::text AS role,
       octet_length(a.query) >= pg_size_bytes(current_setting('track_activity_query_size')) - 1 AS is_cut,
       (SELECT substr(c, 13) FROM pg_db_role_setting s, unnest(s.setconfig) c
         WHERE c LIKE 'search\_path=%' AND s.setdatabase IN (0, a.datid) AND s.setrole IN (0, a.usesysid)
         ORDER BY s.setrole <> 0 AND s.setdatabase <> 0 DESC, s.setrole <> 0 DESC, s.setdatabase <> 0 DESC LIMIT 1) AS search_path
  FROM pg_stat_activity a WHERE a.pid = $1 AND a.backend_start IS NOT DISTINCT FROM $2
