-- Who leaves a group and comes back has two rows in the list of groups: each is one stay, and moves only to a higher
-- changed_seq.
ALTER TABLE im_user_group DROP PRIMARY KEY, ADD PRIMARY KEY (app_id, user_id, group_id, joined_seq);
