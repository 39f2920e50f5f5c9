#include "tests/support/mariadb_server.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <fstream>
#include <stdexcept>
#include <thread>

#include "logic/store/mysql/connection/connection.h"
#include "tests/support/server_process.h"

namespace hongyan::testing {

namespace {

namespace fs = std::filesystem;

std::string user_name() {
  return ::getuid() == 0 ? "root" : std::getenv("USER") ? std::getenv("USER") : "nobody";
}

// Data of an empty server, made once a process and copied for each server: copying takes a thirtieth of the
// time.
// A starting MariaDB deletes the temporary tables of all others in the same tmpdir: each has its own.
class Template {
 public:
  Template() {
    const pid_t pid = launch({"mariadb-install-db", "--no-defaults", "--force",
                              "--datadir=" + data().string(), "--tmpdir=" + folder_.path().string(),
                              "--user=" + user_name(), "--auth-root-authentication-method=normal",
                              "--skip-test-db", "--skip-name-resolve", "--innodb-log-file-size=8M"},
                             folder_.file("log"));
    int status = 0;
    ::waitpid(pid, &status, 0);
    if (status != 0) throw std::runtime_error("mariadb-install-db failed: " + folder_.file("log"));
  }

  [[nodiscard]] fs::path data() const { return folder_.path() / "data"; }

 private:
  const TempFolder folder_;
};

logic::DbResult<std::unique_ptr<logic::MysqlConnection>> connect_as_root(const std::string& socket,
                                                                         const std::string& database) {
  return logic::MysqlConnection::open({.host = {},
                                       .port = 0,
                                       .socket = socket,
                                       .user = "root",
                                       .password = {},
                                       .database = database,
                                       .connect_timeout = Milliseconds(2000),
                                       .io_timeout = Milliseconds(10'000)});
}

}  // namespace

MariadbServer::MariadbServer(std::vector<std::string> extra_options)
    : options_(std::move(extra_options)), port_(free_port()) {
  static const Template empty;
  fs::copy(empty.data(), folder_.path() / "data", fs::copy_options::recursive);
  std::ofstream(folder_.path() / "init.sql")
      << "CREATE USER IF NOT EXISTS hongyan@localhost IDENTIFIED BY 'test';\n"
      << "CREATE USER IF NOT EXISTS hongyan@'127.0.0.1' IDENTIFIED BY 'test';\n"
      << "GRANT ALL ON `hongyan\\_%`.* TO hongyan@localhost;\n"
      << "GRANT ALL ON `hongyan\\_%`.* TO hongyan@'127.0.0.1';\n";
  start();
}

MariadbServer::~MariadbServer() { reap(SIGKILL); }

void MariadbServer::start() {
  std::vector<std::string> command = {"mariadbd",
                                      "--no-defaults",
                                      "--user=" + user_name(),
                                      "--datadir=" + (folder_.path() / "data").string(),
                                      "--tmpdir=" + folder_.path().string(),
                                      "--socket=" + socket(),
                                      "--bind-address=127.0.0.1",
                                      "--port=" + std::to_string(port_),
                                      "--skip-name-resolve",
                                      "--innodb-buffer-pool-size=64M",
                                      "--innodb-log-file-size=32M",
                                      "--init-file=" + (folder_.path() / "init.sql").string()};
  command.insert(command.end(), options_.begin(), options_.end());
  pid_ = launch(command, folder_.file("log"));
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!connect_as_root(socket(), "")) {
    if (::waitpid(pid_, nullptr, WNOHANG) == pid_ || std::chrono::steady_clock::now() > deadline) {
      throw std::runtime_error("mariadbd does not start: " + folder_.file("log"));
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

void MariadbServer::kill_hard() { reap(SIGKILL); }
void MariadbServer::stop() { reap(SIGTERM); }
void MariadbServer::freeze() { ::kill(pid_, SIGSTOP); }
void MariadbServer::thaw() { ::kill(pid_, SIGCONT); }

std::string MariadbServer::sql(const std::string& text, const std::string& database) const {
  auto connection = connect_as_root(socket(), database);
  if (!connection) throw std::runtime_error(connection.error().text());
  std::string answer;
  auto done = (*connection)->query(text, [&answer](const logic::TextRow& row) { answer = row.text(0); });
  if (!done) throw std::runtime_error(done.error().text());
  return answer;
}

void MariadbServer::reap(int signal) {
  if (pid_ <= 0) return;
  ::kill(pid_, SIGCONT);
  ::kill(pid_, signal);
  ::waitpid(pid_, nullptr, 0);
  pid_ = -1;
}

}  // namespace hongyan::testing
