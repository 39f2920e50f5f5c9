#include "gate/session/login.h"

#include <gtest/gtest.h>

namespace hongyan::gate {
namespace {

TEST(LoginTest, ChecksALogin) {
  client::AuthReq auth;
  EXPECT_FALSE(check_auth(auth).has_value());
  auth.set_uid("alice");
  EXPECT_EQ(check_auth(auth)->app_id, "default");
  auth.set_app_id(std::string(64, 'a'));
  auth.set_uid(std::string(128, 'u'));
  auth.set_device_id(std::string(128, 'd'));
  EXPECT_TRUE(check_auth(auth).has_value());
  auth.set_app_id(std::string(65, 'a'));
  EXPECT_EQ(check_auth(auth).error().code, Code::kBadRequest);
  auth.set_app_id("demo");
  auth.set_uid(std::string(129, 'u'));
  EXPECT_FALSE(check_auth(auth).has_value());
  auth.set_uid(std::string("a\0b", 3));
  EXPECT_FALSE(check_auth(auth).has_value());
  auth.set_uid("alice");
  auth.set_device_id(std::string(129, 'd'));
  EXPECT_FALSE(check_auth(auth).has_value());
}

}  // namespace
}  // namespace hongyan::gate
