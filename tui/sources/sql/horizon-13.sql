-- Who holds back vacuum without a session; the sessions themselves tell it in every tick.
SELECT 'slot' AS kind, slot_name::text AS name, greatest(age(xmin), age(catalog_xmin)) AS xmin_age,
       slot_type || CASE WHEN active THEN ', active' ELSE ', INACTIVE' END AS detail
  FROM pg_replication_slots WHERE xmin IS NOT NULL OR catalog_xmin IS NOT NULL
 UNION ALL
SELECT 'prepared', gid, age(transaction),
       'of ' || owner || ' in ' || database || ', prepared ' || to_char(prepared AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS"Z"')
  FROM pg_prepared_xacts
 ORDER BY 3 DESC NULLS LAST LIMIT 50
