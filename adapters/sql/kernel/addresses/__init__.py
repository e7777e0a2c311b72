"""APP_DATABASE_URL: which forms of address are understood."""
