// Stands in for libmariadb and for the statements of logic/store/mysql/sql: the same functions, against the
// databases of the simulator. The linker takes these definitions before the library's.
#pragma once

#include <string>

#include "tests/simulator/database.h"

namespace hongyan::simulator {

// Where a connection to this host leads; null: nowhere. A connection's user is the node's name, "node 3".
void serve(const std::string& host, Database* database);

}  // namespace hongyan::simulator
