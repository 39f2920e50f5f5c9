#include <map>

#include "common/base/assert.h"
#include "logic/store/mysql/connection/connection.h"
#include "logic/store/mysql/schema/shard_check.h"
#include "tests/simulator/mysql.h"
#include "tests/simulator/mysql_client.h"

namespace hongyan::simulator {

namespace {

std::map<std::string, Database*> servers;
std::map<const logic::MysqlConnection*, std::unique_ptr<DatabaseClient>> clients;

}  // namespace

void serve(const std::string& host, Database* database) {
  if (database == nullptr) {
    servers.erase(host);
  } else {
    servers[host] = database;
  }
}

DatabaseClient& client_of(const logic::MysqlConnection& connection) {
  const auto found = clients.find(&connection);
  HONGYAN_ASSERT(found != clients.end());
  return *found->second;
}

}  // namespace hongyan::simulator

namespace hongyan::logic {

using simulator::client_of;
using simulator::ServerSession;

MysqlThread::MysqlThread() = default;
MysqlThread::~MysqlThread() = default;

void MysqlConnection::StatementDeleter::operator()(MYSQL_STMT* /*statement*/) const noexcept {}

DbResult<std::unique_ptr<MysqlConnection>> MysqlConnection::open(const MysqlEndpoint& endpoint) {
  simulator::Database* database = simulator::servers.at(endpoint.host);
  const auto node = static_cast<NodeNumber>(std::stoul(endpoint.user.substr(endpoint.user.find(' '))));
  auto client = simulator::DatabaseClient::open(*database, node, endpoint.user);
  if (!client) return std::unexpected(client.error());
  std::unique_ptr<MysqlConnection> connection(new MysqlConnection(nullptr));
  simulator::clients[connection.get()] = std::move(*client);
  return connection;
}

MysqlConnection::~MysqlConnection() { simulator::clients.erase(this); }

DbStatus MysqlConnection::query(std::string_view sql, const OnRow& /*on_row*/) {
  if (sql == "BEGIN") {
    return client_of(*this).call({.run = [](ServerSession& session) {
      session.begin();
      return std::optional<DbError>();
    }});
  }
  HONGYAN_ASSERT(sql == "ROLLBACK");
  return client_of(*this).call({.run = [](ServerSession& session) {
    session.rollback();
    return std::optional<DbError>();
  }});
}

DbStatus MysqlConnection::commit(CommitFault /*fault*/) {
  return client_of(*this).call({.run = [](ServerSession& session) {
    session.commit();
    return std::optional<DbError>();
  }});
}

void MysqlConnection::cut() noexcept { HONGYAN_ASSERT(false); }

MysqlEndpoint endpoint_of(const ShardConfig& config) {
  return {
      .host = config.host, .socket = {}, .user = config.user, .password = {}, .database = config.database};
}

Result<std::string> check_server(MysqlConnection& /*connection*/, const ShardConfig& /*config*/) {
  return std::string("simulated");
}

DbResult<std::unique_ptr<MysqlConnection>> open_checked(const ShardConfig& config) {
  return MysqlConnection::open(endpoint_of(config));
}

}  // namespace hongyan::logic
