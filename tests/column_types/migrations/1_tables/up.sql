CREATE TABLE devices (id uuid PRIMARY KEY DEFAULT gen_random_uuid(), owner uuid, name text NOT NULL);
CREATE TABLE networks (id inet PRIMARY KEY, gateway inet, name text NOT NULL);
