DROP TABLE newtable;
