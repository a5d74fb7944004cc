DROP INDEX accounts_open_email_key;
