// The statements about im_user.
#pragma once

#include "logic/store/mysql/connection.h"
#include "logic/store/mysql/writer_sql.h"
#include "logic/store/user_rows.h"

namespace hongyan::logic {

// A change is one transaction under the fence. The value is empty when another process owns the slots.
// commit_sent: after an error, whether the change may have been committed.
[[nodiscard]] DbResult<std::optional<StoredUser>> run_user_request(MysqlConnection& connection,
                                                                   const FenceKey& fence,
                                                                   const UserRequest& request,
                                                                   bool& commit_sent);

}  // namespace hongyan::logic
