DROP SCHEMA audit CASCADE; DROP TABLE log, tickets, people CASCADE; DROP TYPE state;
