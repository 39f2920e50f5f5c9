-- Files are applied in the order of their numbers and recorded in im_schema. MariaDB has no transactions around DDL, so every
-- statement must be harmless when run again after a failure half way.
--
-- Every id column is VARBINARY: under a text collation Alice and alice, or 'a' and 'a ', would be one key.
-- Times are milliseconds since 1970 UTC unless the column says otherwise.

-- Which slots this database holds, and the version of the map: checked by every connection of logic.
CREATE TABLE IF NOT EXISTS im_slot_map (
  id          TINYINT UNSIGNED NOT NULL PRIMARY KEY CHECK (id = 1),
  map_version BIGINT UNSIGNED  NOT NULL,
  slots       TEXT             NOT NULL   -- "0-1023"
) ENGINE = InnoDB;

-- The fence: every write transaction holds a share lock on its node's row and goes on only with its own epoch.
CREATE TABLE IF NOT EXISTS im_node (
  node    SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
  boot    BIGINT UNSIGNED   NOT NULL,
  epoch   BIGINT UNSIGNED   NOT NULL,
  barrier BIGINT UNSIGNED   NOT NULL DEFAULT 0
) ENGINE = InnoDB;

-- Life sign, written every second; the node never issues ids above id_limit.
CREATE TABLE IF NOT EXISTS im_beat (
  node      SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
  boot      BIGINT UNSIGNED   NOT NULL,
  beat_time BIGINT            NOT NULL,   -- by this server's clock
  id_limit  BIGINT            NOT NULL
) ENGINE = InnoDB;

-- The lease of a slot. Ids up to `mark` are finished or stand in im_pending.
CREATE TABLE IF NOT EXISTS im_slot (
  slot  SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
  owner SMALLINT UNSIGNED NULL,
  epoch BIGINT UNSIGNED   NOT NULL DEFAULT 0,
  mark  BIGINT            NOT NULL DEFAULT 0,
  KEY by_owner (owner)
) ENGINE = InnoDB;

-- Fan-out that has been unfinished for more than 10 s: it no longer holds the mark.
CREATE TABLE IF NOT EXISTS im_pending (
  slot        SMALLINT UNSIGNED NOT NULL,   -- source
  destination SMALLINT UNSIGNED NOT NULL,   -- slot of the receiver
  id          BIGINT            NOT NULL,
  PRIMARY KEY (slot, destination, id)
) ENGINE = InnoDB;

-- Rows that can never be stored, for an operator.
CREATE TABLE IF NOT EXISTS im_parked (
  id          BIGINT         NOT NULL,
  destination VARBINARY(128) NOT NULL,
  app_id      VARBINARY(64)  NOT NULL,
  slot        SMALLINT UNSIGNED NOT NULL,
  reason      VARCHAR(512)   NOT NULL,
  parked_time BIGINT         NOT NULL,
  PRIMARY KEY (id, destination)
) ENGINE = InnoDB;

-- Outbox: what a user sent.
CREATE TABLE IF NOT EXISTS im_message_send (
  app_id        VARBINARY(64)     NOT NULL,
  msg_from      VARBINARY(128)    NOT NULL,
  msg_seq       BIGINT            NOT NULL,
  msg_id        BIGINT            NOT NULL,
  slot          SMALLINT UNSIGNED NOT NULL,
  cmd_id        INT               NOT NULL,
  msg_type      INT               NOT NULL,
  group_id      BIGINT            NOT NULL,
  send_time     BIGINT            NOT NULL,
  msg_to        VARBINARY(128)    NOT NULL,
  client_msg_id VARBINARY(64)     NOT NULL,
  msg_content   MEDIUMBLOB        NOT NULL,
  PRIMARY KEY (app_id, msg_from, msg_seq),
  UNIQUE KEY by_client_msg_id (app_id, msg_from, client_msg_id),
  KEY by_slot (slot, msg_id)
) ENGINE = InnoDB;

-- Inbox: what a user is to get.
CREATE TABLE IF NOT EXISTS im_message_receive (
  app_id        VARBINARY(64)  NOT NULL,
  msg_to        VARBINARY(128) NOT NULL,
  msg_seq       BIGINT         NOT NULL,
  msg_id        BIGINT         NOT NULL,
  cmd_id        INT            NOT NULL,
  msg_type      INT            NOT NULL,
  group_id      BIGINT         NOT NULL,
  group_seq     BIGINT         NOT NULL,
  send_time     BIGINT         NOT NULL,
  msg_from      VARBINARY(128) NOT NULL,
  client_msg_id VARBINARY(64)  NOT NULL,
  msg_content   MEDIUMBLOB     NOT NULL,
  PRIMARY KEY (app_id, msg_to, msg_seq),
  UNIQUE KEY by_msg_id (app_id, msg_to, msg_id)
) ENGINE = InnoDB;

-- What each device acknowledged. kind: 1 inbox, 2 outbox, 3 a large group (group_id).
CREATE TABLE IF NOT EXISTS im_user_cursor (
  app_id       VARBINARY(64)    NOT NULL,
  user_id      VARBINARY(128)   NOT NULL,
  device_class TINYINT UNSIGNED NOT NULL,
  kind         TINYINT UNSIGNED NOT NULL,
  group_id     BIGINT           NOT NULL DEFAULT 0,
  acked_seq    BIGINT           NOT NULL,
  PRIMARY KEY (app_id, user_id, device_class, kind, group_id)
) ENGINE = InnoDB;
