// The statements about im_user.
#pragma once

#include "logic/store/mysql/connection.h"
#include "logic/store/user_rows.h"

namespace hongyan::logic {

[[nodiscard]] DbResult<StoredUser> read_user(MysqlConnection& connection, const UserKey& user);

// Within a transaction under the fence. What the user is then.
[[nodiscard]] DbResult<StoredUser> change_user(MysqlConnection& connection, const UserRequest& request);

}  // namespace hongyan::logic
