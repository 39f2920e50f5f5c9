-- A command may name a thousand members of long names.
ALTER TABLE im_ctrl_outcome MODIFY result MEDIUMBLOB NOT NULL;
