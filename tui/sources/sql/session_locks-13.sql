-- What one session holds and waits for.
SELECT l.locktype, l.mode, l.granted, l.relation::int8 AS relation, c.relname::text AS relation_name, count(*)::int AS count
  FROM pg_locks l LEFT JOIN pg_class c ON c.oid = l.relation
   AND l.database IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
 WHERE l.pid = $1 AND l.locktype <> 'virtualxid'
 GROUP BY 1, 2, 3, 4, 5 ORDER BY l.granted, l.mode DESC LIMIT 200
