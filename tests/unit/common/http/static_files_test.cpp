#include "common/http/static_files.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "common/net/event_loop.h"
#include "tests/support/run_on.h"
#include "tests/support/temp_folder.h"

namespace hongyan::http {
namespace {

namespace fs = std::filesystem;

class StaticFilesTest : public ::testing::Test {
 protected:
  StaticFilesTest() {
    root_ = folder_.path() / "root";
    loop_.start();
    write("index.html", "<p>hello");
    write("assets/main-1a2b.js", "run()");
    std::ofstream(folder_.path() / "secret.txt") << "secret";
  }
  ~StaticFilesTest() override {
    loop_.stop();
    loop_.join();
  }

  void write(const std::string& name, const std::string& content) const {
    fs::create_directories((root_ / name).parent_path());
    std::ofstream(root_ / name, std::ios::binary) << content;
  }
  [[nodiscard]] Result<std::size_t> load(std::size_t max_bytes = 1 << 20) {
    return add_static_files(
        router_, {.folder = root_.string(), .max_bytes = max_bytes, .headers = {{"X-Test", "yes"}}});
  }
  // 404: no route.
  [[nodiscard]] Response get(const std::string& path, Fields headers = {}) {
    const auto outcome = router_.find(Method::kGet, path);
    const auto* match = std::get_if<Router::Match>(&outcome);
    if (match == nullptr) return {.status = 404};
    Request request;
    request.path = path;
    request.headers = std::move(headers);
    return test::run_on(loop_, (*match->handler)(std::move(request)));
  }
  [[nodiscard]] static std::string header(const Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
      if (key == name) return value;
    }
    return {};
  }

  testing::TempFolder folder_;
  fs::path root_;
  Router router_;
  net::EventLoop loop_{"test"};
};

TEST_F(StaticFilesTest, ServesFilesWithTheirTypes) {
  write("sub/index.html", "sub");
  write("a b.txt", "blank");
  write("data.bin", std::string("\0\xff", 2));
  ASSERT_EQ(load().value_or(0), 5U);
  EXPECT_EQ(get("/").body, "<p>hello");
  EXPECT_EQ(get("/").content_type, "text/html; charset=utf-8");
  EXPECT_EQ(get("/index.html").body, "<p>hello");
  EXPECT_EQ(get("/sub/").body, "sub");
  EXPECT_EQ(get("/a%20b.txt").body, "blank");
  EXPECT_EQ(get("/data.bin").content_type, "application/octet-stream");
  EXPECT_EQ(get("/data.bin").body.size(), 2U);
  const auto script = get("/assets/main-1a2b.js");
  EXPECT_EQ(script.content_type, "text/javascript; charset=utf-8");
  EXPECT_EQ(header(script, "X-Content-Type-Options"), "nosniff");
  EXPECT_EQ(header(script, "X-Test"), "yes");
}

TEST_F(StaticFilesTest, ReachesNothingOutside) {
  fs::create_symlink(folder_.path() / "secret.txt", root_ / "link.txt");
  write(".hidden", "x");
  write(".git/config", "x");
  ASSERT_EQ(load().value_or(0), 2U);
  for (const std::string path : {"/../secret.txt", "/%2e%2e/secret.txt", "/..%2fsecret.txt", "//secret.txt",
                                 "/assets/../../secret.txt", "/link.txt", "/.hidden", "/.git/config",
                                 "/assets", "/assets/", "/index.html/", "/INDEX.html"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

TEST_F(StaticFilesTest, NamedFilesAreKeptTheRestIsAskedForAgain) {
  ASSERT_TRUE(load());
  EXPECT_EQ(header(get("/assets/main-1a2b.js"), "Cache-Control"), "public, max-age=31536000, immutable");
  const auto page = get("/");
  EXPECT_EQ(header(page, "Cache-Control"), "no-cache");
  const auto etag = header(page, "ETag");
  const auto again = get("/", {{"if-none-match", "W/\"x\", " + etag}});
  EXPECT_EQ(again.status, 304);
  EXPECT_EQ(again.body, "");
  EXPECT_EQ(header(again, "ETag"), etag);
  EXPECT_EQ(get("/", {{"If-None-Match", "\"other\""}}).status, 200);
  EXPECT_NE(etag, header(get("/assets/main-1a2b.js"), "ETag"));
}

TEST_F(StaticFilesTest, RefusesWhatItCannotServe) {
  EXPECT_EQ(load(12).error().code, Code::kTooLarge);
  write("{brace}", "x");
  EXPECT_EQ(load().error().code, Code::kBadRequest);
  fs::remove_all(root_);
  EXPECT_EQ(load().error().code, Code::kNotFound);
}

}  // namespace
}  // namespace hongyan::http
