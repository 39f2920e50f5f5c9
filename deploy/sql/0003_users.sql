-- Users that business services registered or banned. A user needs no row to log in: the token decides.
CREATE TABLE IF NOT EXISTS im_user (
  app_id        VARBINARY(64)  NOT NULL,
  user_id       VARBINARY(128) NOT NULL,
  created_time  BIGINT         NULL,                -- registered then; NULL: never, only banned once
  password_hash VARBINARY(255) NULL,                -- of the service's own making; logic never reads it
  banned_until  BIGINT         NOT NULL DEFAULT 0,  -- 0: not banned, 9223372036854775807: for ever
  ban_reason    VARBINARY(1024) NOT NULL DEFAULT '',
  PRIMARY KEY (app_id, user_id)
) ENGINE = InnoDB;
