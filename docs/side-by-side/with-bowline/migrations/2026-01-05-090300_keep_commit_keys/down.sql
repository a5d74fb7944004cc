DROP TABLE __bowline_commit_keys;
