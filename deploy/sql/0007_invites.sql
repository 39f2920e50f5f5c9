-- Who was asked to join a group and has not yet. invited_seq: the message that says so.
CREATE TABLE IF NOT EXISTS im_group_invite (
  app_id      VARBINARY(64)  NOT NULL,
  group_id    BIGINT         NOT NULL,
  user_id     VARBINARY(128) NOT NULL,
  invited_seq BIGINT         NOT NULL,
  PRIMARY KEY (app_id, group_id, user_id)
) ENGINE = InnoDB;
