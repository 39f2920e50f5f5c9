// The statements about im_user, im_user_cursor and im_user_group.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "logic/store/mysql/connection/connection.h"
#include "logic/store/user_rows.h"

namespace hongyan::logic {

[[nodiscard]] DbResult<StoredUser> read_user(MysqlConnection& connection, const UserKey& user);

// Within a transaction under the fence. What the user is then.
[[nodiscard]] DbResult<StoredUser> change_user(MysqlConnection& connection, const UserRequest& request);

// Cursors, bans and lists of groups, into the works.
[[nodiscard]] DbStatus load_cursors(MysqlConnection& connection, std::span<TailsWork* const> works);
// In how many groups each of the users is, in their order.
[[nodiscard]] DbResult<std::vector<std::size_t>> count_memberships(MysqlConnection& connection,
                                                                   std::span<const UserKey> users);
// The rows' changes of their receivers' lists of groups. Within the transaction that inserts the rows.
[[nodiscard]] DbStatus write_memberships(MysqlConnection& connection, std::span<InboxWork* const> rows);

}  // namespace hongyan::logic
