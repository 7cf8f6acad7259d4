-- Who waits for whom, for a role that cannot see others' wait events: pg_locks is open to all.
SELECT w.pid, array_to_string(pg_blocking_pids(w.pid), ',') AS blockers
  FROM (SELECT DISTINCT pid FROM pg_locks WHERE NOT granted AND pid IS NOT NULL) w
