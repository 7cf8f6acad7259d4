-- One entry of pg_stat_statements, whole, and what decides where its names lead: its database, its role's search path.
SELECT s.query, d.datname::text AS database, r.rolname::text AS role, false AS is_cut,
       (SELECT substr(c, 13) FROM pg_db_role_setting o, unnest(o.setconfig) c
         WHERE c LIKE 'search\_path=%' AND o.setdatabase IN (0, s.dbid) AND o.setrole IN (0, s.userid)
         ORDER BY o.setrole <> 0 AND o.setdatabase <> 0 DESC, o.setrole <> 0 DESC, o.setdatabase <> 0 DESC LIMIT 1) AS search_path
  FROM {schema}.pg_stat_statements(true) s
  LEFT JOIN pg_database d ON d.oid = s.dbid
  LEFT JOIN pg_roles r ON r.oid = s.userid
 WHERE s.userid = $1::int8::oid AND s.dbid = $2::int8::oid AND s.queryid = $3 LIMIT 1
