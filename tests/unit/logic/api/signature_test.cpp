#include "logic/api/signature.h"

#include <gtest/gtest.h>

#include "logic/api/keys.h"

namespace hongyan::logic {
namespace {

constexpr std::int64_t kNow = 1'767'225'600;
constexpr const char* kNonce = "0123456789abcdef";

http::Request request() {
  http::Request made;
  made.method = http::Method::kPost;
  made.target = "/v1/messages?x=%20";
  made.body = R"({"to":["bob"]})";
  return made;
}

std::string header(const std::string& signature, const std::string& time = std::to_string(kNow)) {
  return "HMAC-SHA256 key=0123456789ab,time=" + time + ",nonce=" + kNonce + ",signature=" + signature;
}

TEST(SignatureTest, IsWhatOpensslSays) {
  // printf 'POST\n/v1/messages?x=%%20\n1767225600\n0123456789abcdef\n%s' "$(printf '{"to":["bob"]}' | sha256sum | cut -c-64)" |
  //   openssl dgst -sha256 -hmac "$(printf key-1 | sha256sum | cut -c-64)"
  EXPECT_EQ(sign_request(sha256_hex("key-1"), request(), kNow, kNonce),
            "5e15a4a8a54f87afced060111a42dda3bf8e1cfbae725751ccc20f9585f9b777");
}

TEST(SignatureTest, FitsItsRequestOnly) {
  const std::string key = sha256_hex("key-1");
  const std::string text = header(sign_request(key, request(), kNow, kNonce));
  ASSERT_TRUE(is_signature(text));
  const auto signature = parse_signature(text);
  ASSERT_TRUE(signature) << signature.error().message;
  EXPECT_EQ(signature->key_id, "0123456789ab");
  EXPECT_TRUE(check_signature(*signature, key, request()));
  EXPECT_FALSE(check_signature(*signature, sha256_hex("key-2"), request()));
  http::Request other = request();
  other.body += ' ';
  EXPECT_FALSE(check_signature(*signature, key, other));
  other = request();
  other.target = "/v1/messages";
  EXPECT_FALSE(check_signature(*signature, key, other));
  other = request();
  other.method = http::Method::kPut;
  EXPECT_FALSE(check_signature(*signature, key, other));
  auto later = *signature;
  ++later.time;
  EXPECT_FALSE(check_signature(later, key, request()));
}

TEST(SignatureTest, RefusesHeadersThatAreNone) {
  const std::string good(64, '0');
  ASSERT_TRUE(parse_signature(header(good)));
  for (const std::string& bad :
       {std::string("Bearer x"), std::string("HMAC-SHA256 "), header("00"), header(good, "soon"),
        header(good, ""), header(good) + ",key=again",
        "HMAC-SHA256 key=,time=1,nonce=0123456789abcdef,signature=" + good,
        "HMAC-SHA256 key=a,time=1,nonce=short,signature=" + good,
        "HMAC-SHA256 key=a,time=1,nonce=" + std::string(65, 'x') + ",signature=" + good}) {
    EXPECT_EQ(parse_signature(bad).error().code, Code::kUnauthenticated) << bad;
  }
}

TEST(SignatureTest, IsGoodForFiveMinutes) {
  Signature signature;
  signature.time = kNow;
  for (const std::int64_t off : {-299, 0, 299}) EXPECT_TRUE(check_time(signature, kNow + off)) << off;
  for (const std::int64_t off : {-300, 300, 100'000}) EXPECT_FALSE(check_time(signature, kNow + off)) << off;
}

TEST(NoncesTest, EachIsTakenOnceByEachKey) {
  Nonces nonces;
  EXPECT_TRUE(nonces.take(0, "a", kNow));
  EXPECT_EQ(nonces.take(0, "a", kNow).error().code, Code::kUnauthenticated);
  EXPECT_TRUE(nonces.take(1, "a", kNow));
  EXPECT_FALSE(nonces.take(0, "a", kNow + 2 * kSignatureSeconds - 1));
  EXPECT_TRUE(nonces.take(0, "a", kNow + 2 * kSignatureSeconds));
}

TEST(NoncesTest, AreBounded) {
  Nonces nonces;
  for (std::size_t i = 0; i < Nonces::kMost; ++i) ASSERT_TRUE(nonces.take(0, std::to_string(i), kNow));
  EXPECT_EQ(nonces.take(0, "one more", kNow).error().code, Code::kRateLimited);
  EXPECT_TRUE(nonces.take(0, "one more", kNow + 2 * kSignatureSeconds));
}

}  // namespace
}  // namespace hongyan::logic
