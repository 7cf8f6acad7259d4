"""The tabs: facts to rows, keys to requests."""
