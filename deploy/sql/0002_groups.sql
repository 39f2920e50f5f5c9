-- Groups. A group lives under its own slot: slot of (app_id, group_id in decimal). group_id is the msg_id of the
-- message that created it. Sequences, epochs and times as in the files before.

-- Who a group message mentions: a protobuf message Mentions, empty for none.
ALTER TABLE im_message_send ADD COLUMN IF NOT EXISTS mentions BLOB NULL;
ALTER TABLE im_message_receive ADD COLUMN IF NOT EXISTS mentions BLOB NULL;

-- The group itself. large_from_seq: messages from here on are stored once, in im_group_message alone; 0: the group is
-- not large. dissolved_seq: the message that dissolved it; 0: it lives.
CREATE TABLE IF NOT EXISTS im_group_msgs (
  app_id         VARBINARY(64)  NOT NULL,
  group_id       BIGINT         NOT NULL,
  name           VARCHAR(256)   CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  announcement   TEXT           CHARACTER SET utf8mb4 COLLATE utf8mb4_bin NOT NULL,
  owner          VARBINARY(128) NOT NULL,
  create_user    VARBINARY(128) NOT NULL,
  create_time    BIGINT         NOT NULL,
  large_from_seq BIGINT         NOT NULL DEFAULT 0,
  dissolved_seq  BIGINT         NOT NULL DEFAULT 0,
  PRIMARY KEY (app_id, group_id)
) ENGINE = InnoDB;

-- Members and former members. Message n is for those with joined_seq <= n and (left_seq = 0 or n <= left_seq).
CREATE TABLE IF NOT EXISTS im_group_users (
  app_id     VARBINARY(64)  NOT NULL,
  group_id   BIGINT         NOT NULL,
  user_id    VARBINARY(128) NOT NULL,
  joined_seq BIGINT         NOT NULL,
  left_seq   BIGINT         NOT NULL DEFAULT 0,
  PRIMARY KEY (app_id, group_id, user_id, joined_seq)
) ENGINE = InnoDB;

-- The group's order. placed_id: taken by the group's owner when the message got its group_seq; what the mark of the
-- group's slot counts.
CREATE TABLE IF NOT EXISTS im_group_message (
  app_id        VARBINARY(64)     NOT NULL,
  group_id      BIGINT            NOT NULL,
  group_seq     BIGINT            NOT NULL,
  msg_id        BIGINT            NOT NULL,
  placed_id     BIGINT            NOT NULL,
  slot          SMALLINT UNSIGNED NOT NULL,
  cmd_id        INT               NOT NULL,
  msg_type      INT               NOT NULL,
  send_time     BIGINT            NOT NULL,
  msg_from      VARBINARY(128)    NOT NULL,
  client_msg_id VARBINARY(64)     NOT NULL,
  mentions      BLOB              NULL,
  msg_content   MEDIUMBLOB        NOT NULL,
  PRIMARY KEY (app_id, group_id, group_seq),
  UNIQUE KEY by_msg_id (app_id, group_id, msg_id),
  KEY by_slot (slot, placed_id)
) ENGINE = InnoDB;

-- What came of a group command, refusals included: a resend is answered from here. result: a protobuf GroupOpResult.
CREATE TABLE IF NOT EXISTS im_ctrl_outcome (
  app_id   VARBINARY(64) NOT NULL,
  group_id BIGINT        NOT NULL,
  msg_id   BIGINT        NOT NULL,
  code     INT           NOT NULL,
  message  VARBINARY(512) NOT NULL,
  result   BLOB          NOT NULL,
  PRIMARY KEY (app_id, group_id, msg_id)
) ENGINE = InnoDB;

-- A user's own list of groups, under the user's slot. Never deleted; moves only to a higher changed_seq, the
-- group_seq of the message that changed it.
CREATE TABLE IF NOT EXISTS im_user_group (
  app_id         VARBINARY(64)  NOT NULL,
  user_id        VARBINARY(128) NOT NULL,
  group_id       BIGINT         NOT NULL,
  changed_seq    BIGINT         NOT NULL,
  joined_seq     BIGINT         NOT NULL,
  left_seq       BIGINT         NOT NULL,
  large_from_seq BIGINT         NOT NULL,
  PRIMARY KEY (app_id, user_id, group_id)
) ENGINE = InnoDB;
