DROP TABLE account_labels;
