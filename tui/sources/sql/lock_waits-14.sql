-- What each waiting session waits for. Names of relations of other databases cannot be resolved from here.
SELECT l.pid, l.locktype, l.mode, l.relation::int8 AS relation,
       CASE WHEN l.database IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
            THEN (SELECT quote_ident(n.nspname) || '.' || quote_ident(c.relname)
                    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = l.relation)
        END AS relation_name,
       date_part('epoch', clock_timestamp() - l.waitstart)::float4 AS waited_s
  FROM pg_locks l WHERE NOT l.granted
