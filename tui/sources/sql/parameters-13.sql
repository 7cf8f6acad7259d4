-- Every parameter that can be changed at all.
SELECT s.name, s.setting, s.unit, s.context, s.boot_val, s.min_val, s.max_val,
       array_to_string(s.enumvals, ', ') AS choices, s.short_desc
  FROM pg_settings s WHERE s.context <> 'internal' ORDER BY s.name
