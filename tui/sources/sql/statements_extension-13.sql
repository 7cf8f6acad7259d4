-- What pg_stat_statements still lacks here: its files, the extension in this database, its library in every process.
SELECT (SELECT a.default_version FROM pg_available_extensions a WHERE a.name = 'pg_stat_statements') AS available,
       (SELECT e.extversion FROM pg_extension e WHERE e.extname = 'pg_stat_statements') AS created,
       (SELECT f.setting FROM pg_file_settings f WHERE f.name = 'shared_preload_libraries'
         ORDER BY f.seqno DESC LIMIT 1) AS written,
       s.setting AS libraries, s.source, coalesce(s.pending_restart, false) AS pending_restart, current_user::text AS role,
       (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) AS is_superuser
  FROM (SELECT 1) one LEFT JOIN pg_settings s ON s.name = 'shared_preload_libraries'
