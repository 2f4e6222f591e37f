-- Members are told in the order they joined.
ALTER TABLE iam_member ADD COLUMN seq INTEGER NOT NULL DEFAULT 0;
