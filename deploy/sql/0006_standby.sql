-- Nodes that should own no slots: they are about to leave, or nobody reaches them. A row counts for that life of the node only.
CREATE TABLE IF NOT EXISTS im_standby (
  node SMALLINT UNSIGNED NOT NULL PRIMARY KEY,
  boot BIGINT UNSIGNED   NOT NULL
) ENGINE = InnoDB;
