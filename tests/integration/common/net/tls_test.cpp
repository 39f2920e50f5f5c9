// Certificates and keys as they lie in files.
#include "common/net/tls.h"

#include <gtest/gtest.h>

#include "tests/support/certificate.h"
#include "tests/support/temp_folder.h"

namespace hongyan::net {
namespace {

TEST(TlsContextTest, TakesACertificateAndItsKey) {
  const testing::TempFolder folder;
  const auto files = test::make_certificate(folder.path().string());
  const auto context = TlsContext::server(files.certificate, files.key);
  ASSERT_TRUE(context.has_value()) << context.error().message;
  EXPECT_GT((*context)->expires_at(), 0);
}

// And asks no terminal for it.
TEST(TlsContextTest, RefusesAKeyWithAPassphrase) {
  const testing::TempFolder folder;
  const auto files = test::make_certificate(folder.path().string(), "secret");
  const auto context = TlsContext::server(files.certificate, files.key);
  ASSERT_FALSE(context.has_value());
  EXPECT_EQ(context.error().message, files.key + ": has a passphrase: store it without");
}

TEST(TlsContextTest, RefusesFilesThatAreNone) {
  const testing::TempFolder folder;
  const testing::TempFolder other;
  const auto files = test::make_certificate(folder.path().string());
  const auto others = test::make_certificate(other.path().string());
  EXPECT_FALSE(TlsContext::server(files.certificate, others.key).has_value());
  EXPECT_FALSE(TlsContext::server(files.certificate, files.certificate).has_value());
  const auto missing = TlsContext::server(folder.file("nothing.pem"), files.key);
  ASSERT_FALSE(missing.has_value());
  EXPECT_NE(missing.error().message.find("No such file"), std::string::npos);
}

}  // namespace
}  // namespace hongyan::net
