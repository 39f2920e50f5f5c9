#include "common/protocol/errors.h"

#include <gtest/gtest.h>

#include "proto/client.pb.h"

namespace hongyan::protocol {
namespace {

TEST(ErrorsTest, ComeBackAsTheyWent) {
  const Error error = error_of(error_body({Code::kUnavailable, "storage is away", 500}));
  EXPECT_EQ(error.code, Code::kUnavailable);
  EXPECT_EQ(error.message, "storage is away");
  EXPECT_EQ(error.retry_after_ms, 500U);
}

TEST(ErrorsTest, AreReadFromAnyResponse) {
  client::C2CSendResp response;
  response.mutable_error()->set_code(client::ERROR_CODE_TOO_LARGE);
  EXPECT_EQ(error_of(response.SerializeAsString()).code, Code::kTooLarge);
}

TEST(ErrorsTest, WhatHasNoneIsAnErrorToo) {
  EXPECT_EQ(error_of("").code, Code::kInternal);
  EXPECT_EQ(error_of("\x0a").code, Code::kInternal);
}

}  // namespace
}  // namespace hongyan::protocol
