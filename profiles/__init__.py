"""What to watch and what is allowed: shipped profiles, their schema and their loader."""
