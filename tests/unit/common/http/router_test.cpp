#include "common/http/router.h"

#include <gtest/gtest.h>

namespace hongyan::http {
namespace {

class RouterTest : public ::testing::Test {
 protected:
  void add(Method method, std::string_view pattern) {
    router_.add_simple(method, pattern, [](const Request&) { return Response{}; });
  }
  [[nodiscard]] Fields params(Method method, std::string_view path) const {
    const auto outcome = router_.find(method, path);
    const auto* match = std::get_if<Router::Match>(&outcome);
    return match != nullptr ? match->params : Fields{{"no", "match"}};
  }

  Router router_;
};

TEST_F(RouterTest, FillsParameters) {
  add(Method::kGet, "/v1/users/{uid}/presence");
  add(Method::kGet, "/v1/groups/{id}/members/{uid}");
  EXPECT_EQ(params(Method::kGet, "/v1/users/alice/presence"), (Fields{{"uid", "alice"}}));
  EXPECT_EQ(params(Method::kGet, "/v1/users/a%2Fb%20c/presence"), (Fields{{"uid", "a/b c"}}));
  EXPECT_EQ(params(Method::kGet, "/v1/groups/7/members/bob"), (Fields{{"id", "7"}, {"uid", "bob"}}));
}

TEST_F(RouterTest, MatchesWholePathsOnly) {
  add(Method::kGet, "/v1/users/{uid}");
  for (const char* path :
       {"/", "/v1/users", "/v1/users/", "/v1/users/a/", "/v1/users/a/b", "/V1/users/a", "//v1/users/a"}) {
    EXPECT_TRUE(std::holds_alternative<Router::NotFound>(router_.find(Method::kGet, path))) << path;
  }
}

TEST_F(RouterTest, PrefersLiterals) {
  add(Method::kGet, "/v1/users/{uid}");
  add(Method::kGet, "/v1/users/me");
  EXPECT_EQ(params(Method::kGet, "/v1/users/me"), Fields{});
  EXPECT_EQ(params(Method::kGet, "/v1/users/you"), (Fields{{"uid", "you"}}));
}

TEST_F(RouterTest, NamesTheAllowedMethods) {
  add(Method::kGet, "/x");
  add(Method::kPost, "/x");
  const auto outcome = router_.find(Method::kDelete, "/x");
  ASSERT_TRUE(std::holds_alternative<Router::MethodNotAllowed>(outcome));
  EXPECT_EQ(std::get<Router::MethodNotAllowed>(outcome).allow, "GET, HEAD, POST");
  EXPECT_TRUE(std::holds_alternative<Router::Match>(router_.find(Method::kHead, "/x")));
  EXPECT_TRUE(std::holds_alternative<Router::MethodNotAllowed>(router_.find(Method::kOther, "/x")));
}

TEST_F(RouterTest, RefusesBrokenEscapes) {
  add(Method::kGet, "/{x}");
  EXPECT_TRUE(std::holds_alternative<Router::BadPath>(router_.find(Method::kGet, "/%zz")));
}

}  // namespace
}  // namespace hongyan::http
