-- Format 2. `command`: what the run was called by; none of those that format 1 kept.
PRAGMA user_version = 2;

ALTER TABLE runs ADD COLUMN command TEXT;
