-- What maintenance is under way. Later versions rename and add columns: as JSON they need no version each.
SELECT p.kind, p.pid, p.database, p.data::text AS data,
       CASE WHEN p.database = current_database()
            THEN (SELECT n.nspname || '.' || c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
                   WHERE c.oid = (p.data ->> 'relid')::oid) END AS relation,
       CASE WHEN p.database = current_database()
            THEN (SELECT c.relname::text FROM pg_class c WHERE c.oid = (p.data ->> 'index_relid')::oid) END AS index
  FROM (SELECT 'vacuum' AS kind, pid, datname::text AS database, to_jsonb(v) AS data FROM pg_stat_progress_vacuum v
        UNION ALL SELECT 'analyze', pid, datname::text, to_jsonb(v) FROM pg_stat_progress_analyze v
        UNION ALL SELECT 'create index', pid, datname::text, to_jsonb(v) FROM pg_stat_progress_create_index v
        UNION ALL SELECT 'cluster', pid, datname::text, to_jsonb(v) FROM pg_stat_progress_cluster v
        UNION ALL SELECT 'base backup', pid, NULL, to_jsonb(v) FROM pg_stat_progress_basebackup v) p
 ORDER BY p.pid LIMIT 100
