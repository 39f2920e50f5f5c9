#include "logic/auth/token.h"

#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <ctime>
#include <nlohmann/json.hpp>

namespace hongyan::logic {
namespace {

constexpr const char* kSecret = "a secret of the test, 32 bytes..";

std::string base64url(std::string_view bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                      reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  while (!out.empty() && out.back() == '=') out.pop_back();
  for (char& c : out) c = c == '+' ? '-' : c == '/' ? '_' : c;
  return out;
}

// A JWT made by hand, so that the verifier is not only tested against itself.
std::string jwt(const nlohmann::json& header, const nlohmann::json& payload,
                std::string_view secret = kSecret) {
  const std::string text = base64url(header.dump()) + "." + base64url(payload.dump());
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned int size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(), &size);
  return text + "." + base64url({reinterpret_cast<const char*>(mac.data()), size});
}

const nlohmann::json kHeader = {{"alg", "HS256"}, {"typ", "JWT"}};

nlohmann::json claims() { return {{"sub", "alice"}, {"aud", "demo"}, {"exp", std::time(nullptr) + 60}}; }

class TokenTest : public ::testing::Test {
 protected:
  [[nodiscard]] bool good(const std::string& token) const {
    const auto result = tokens_.verify("demo", "alice", token);
    if (!result) EXPECT_EQ(result.error().code, Code::kUnauthenticated);
    return result.has_value();
  }
  JwtTokens tokens_{{{.app_id = "demo", .secret = kSecret},
                    {.app_id = "other", .secret = "another secret of 32 bytes......"}}};
};

TEST_F(TokenTest, TakesATokenMadeElsewhere) {
  EXPECT_TRUE(good(jwt(kHeader, claims())));
  auto with_nbf = claims();
  with_nbf["nbf"] = std::time(nullptr) - 10;
  EXPECT_TRUE(good(jwt(kHeader, with_nbf)));
}

TEST_F(TokenTest, TellsWhenTheTokenEnds) {
  auto payload = claims();
  EXPECT_EQ(tokens_.verify("demo", "alice", jwt(kHeader, payload)).value(),
            payload["exp"].get<std::int64_t>() * 1000);
}

TEST_F(TokenTest, SignsWhatItVerifies) {
  const auto token = tokens_.sign("demo", "alice", 60);
  ASSERT_TRUE(token);
  EXPECT_TRUE(good(*token));
  EXPECT_FALSE(tokens_.verify("demo", "bob", *token));
  EXPECT_FALSE(tokens_.verify("other", "alice", *token));
  EXPECT_FALSE(tokens_.sign("no such app", "alice", 60));
}

TEST_F(TokenTest, RefusesWrongClaims) {
  const auto without = [](const char* name) {
    auto payload = claims();
    payload.erase(name);
    return payload;
  };
  const auto with = [](const char* name, nlohmann::json value) {
    auto payload = claims();
    payload[name] = std::move(value);
    return payload;
  };
  for (const auto& payload :
       {without("sub"), without("aud"), without("exp"), with("exp", std::time(nullptr) - 100),
        with("exp", "tomorrow"), with("sub", "bob"), with("sub", 7), with("aud", "other"),
        with("aud", nlohmann::json::array({"demo"})), with("nbf", std::time(nullptr) + 1000),
        nlohmann::json::array()}) {
    EXPECT_FALSE(good(jwt(kHeader, payload))) << payload;
  }
}

TEST_F(TokenTest, RefusesForgery) {
  const std::string token = jwt(kHeader, claims());
  EXPECT_FALSE(good(jwt(kHeader, claims(), "the wrong secret of 32 bytes....")));
  EXPECT_FALSE(good(jwt({{"alg", "none"}}, claims())));
  EXPECT_FALSE(good(jwt({{"alg", "HS512"}}, claims())));
  EXPECT_FALSE(good(jwt({{"alg", "RS256"}}, claims())));
  EXPECT_FALSE(good(jwt({{"typ", "JWT"}}, claims())));
  const auto second_dot = token.rfind('.');
  EXPECT_FALSE(good(token.substr(0, second_dot + 1)));
  EXPECT_FALSE(good(token.substr(0, second_dot)));
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, token.size() / 2, token.size() - 1}) {
    EXPECT_FALSE(good(token.substr(0, size))) << size;
  }
  EXPECT_FALSE(good(std::string(1 << 20, 'a')));
  EXPECT_FALSE(good("...."));
  EXPECT_FALSE(good(std::string("\0\0\0", 3)));
}

}  // namespace
}  // namespace hongyan::logic
