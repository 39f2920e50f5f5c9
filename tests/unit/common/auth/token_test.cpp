#include "common/auth/token.h"

#include <gtest/gtest.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>

#include <array>
#include <ctime>
#include <jwt/jwt.hpp>
#include <memory>
#include <nlohmann/json.hpp>

namespace hongyan::auth {
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

TEST_F(TokenTest, AnEndFarAwayDoesNotOverflow) {
  for (const nlohmann::json& exp : {nlohmann::json(INT64_MAX), nlohmann::json(INT64_MAX / 1000 + 1)}) {
    auto payload = claims();
    payload["exp"] = exp;
    const auto ends = tokens_.verify("demo", "alice", jwt(kHeader, payload));
    ASSERT_TRUE(ends) << exp << ends.error().message;
    EXPECT_GT(*ends, std::int64_t{200'000'000'000'000}) << exp;
  }
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
        with("exp", -1), with("exp", 0), with("exp", -1e300), with("exp", 1e300), with("nbf", 1e300),
        with("exp", "tomorrow"), with("sub", "bob"), with("sub", 7), with("aud", "other"),
        with("aud", nlohmann::json::array({"demo"})), with("nbf", std::time(nullptr) + 1000),
        nlohmann::json::array()}) {
    EXPECT_FALSE(good(jwt(kHeader, payload))) << payload;
  }
}

TEST_F(TokenTest, SaysInItsOwnWordsWhyNot) {
  const auto why = [this](const std::string& token) {
    return tokens_.verify("demo", "alice", token).error().message;
  };
  auto late = claims();
  late["exp"] = std::time(nullptr) - 100;
  EXPECT_EQ(why(jwt(kHeader, late)), "token has expired");
  auto early = claims();
  early["nbf"] = std::time(nullptr) + 100;
  EXPECT_EQ(why(jwt(kHeader, early)), "token is not valid yet");
  EXPECT_EQ(why(jwt(kHeader, claims(), "the wrong secret of 32 bytes....")), "token's signature is wrong");
  EXPECT_EQ(why(jwt({{"alg", "HS512"}}, claims())), "token is not valid");
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
  // What is not base64url never reaches the library, wherever it stands.
  for (const std::size_t at : {std::size_t{0}, second_dot - 1, second_dot + 1, token.size()}) {
    for (const char* bytes : {"\xff", "\x80", "\xc3\xa9", "=", "+", "/", " ", "."}) {
      EXPECT_EQ(tokens_.verify("demo", "alice", std::string(token).insert(at, bytes)).error().message,
                "token does not parse")
          << at << bytes;
    }
  }
}

// A new key pair as PEM texts.
struct KeyPair {
  explicit KeyPair(EVP_PKEY* made) : key(made, &EVP_PKEY_free) {}
  [[nodiscard]] std::string pem(bool secret) const {
    const std::unique_ptr<BIO, decltype(&BIO_free)> out(BIO_new(BIO_s_mem()), &BIO_free);
    if (secret) {
      PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    } else {
      PEM_write_bio_PUBKEY(out.get(), key.get());
    }
    char* text = nullptr;
    const long size = BIO_get_mem_data(out.get(), &text);
    return {text, static_cast<std::size_t>(size)};
  }
  std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key;
};

std::string signed_by(const KeyPair& pair, const char* algorithm, const char* kid = nullptr) {
  const std::string secret = pair.pem(true);
  jwt::jwt_object token{jwt::params::algorithm(algorithm), jwt::params::secret(secret)};
  if (kid != nullptr) token.header().add_header("kid", kid);
  const auto payload = claims();
  token.add_claim("sub", payload["sub"].get<std::string>());
  token.add_claim("aud", payload["aud"].get<std::string>());
  token.add_claim("exp", payload["exp"].get<std::int64_t>());
  return token.signature();
}

bool takes(const JwtTokens& tokens, const std::string& token) {
  return tokens.verify("demo", "alice", token).has_value();
}

TEST(TokenKeysTest, PublicKeysCheckWhatTheirPrivateKeysSigned) {
  const KeyPair rsa(EVP_RSA_gen(2048));
  const KeyPair other(EVP_RSA_gen(2048));
  const KeyPair ec(EVP_EC_gen("P-256"));
  const JwtTokens by_rsa({{.app_id = "demo", .secret = rsa.pem(false), .algorithm = TokenAlgorithm::kRs256}});
  const JwtTokens by_ec({{.app_id = "demo", .secret = ec.pem(false), .algorithm = TokenAlgorithm::kEs256}});
  EXPECT_TRUE(takes(by_rsa, signed_by(rsa, "RS256")));
  EXPECT_TRUE(takes(by_ec, signed_by(ec, "ES256")));
  EXPECT_FALSE(takes(by_rsa, signed_by(other, "RS256")));
  EXPECT_FALSE(takes(by_ec, signed_by(rsa, "RS256")));
  EXPECT_FALSE(takes(by_rsa, signed_by(ec, "ES256")));
}

TEST(TokenKeysTest, ThePublicKeyIsNoSecretOfHs256) {
  const KeyPair rsa(EVP_RSA_gen(2048));
  const JwtTokens tokens({{.app_id = "demo", .secret = rsa.pem(false), .algorithm = TokenAlgorithm::kRs256}});
  EXPECT_FALSE(takes(tokens, jwt(kHeader, claims(), rsa.pem(false))));
}

TEST(TokenKeysTest, KidPicksAmongSeveralAndKeysRotate) {
  const KeyPair rsa(EVP_RSA_gen(2048));
  const TokenKey old_key{.app_id = "demo", .secret = kSecret, .kid = "old"};
  const TokenKey new_key{
      .app_id = "demo", .secret = rsa.pem(false), .kid = "new", .algorithm = TokenAlgorithm::kRs256};
  const std::string of_old = jwt({{"alg", "HS256"}, {"kid", "old"}}, claims());
  const std::string of_new = signed_by(rsa, "RS256", "new");
  const JwtTokens both({old_key, new_key});
  EXPECT_TRUE(takes(both, of_old));
  EXPECT_TRUE(takes(both, of_new));
  EXPECT_FALSE(takes(both, jwt({{"alg", "HS256"}, {"kid", "gone"}}, claims())));
  EXPECT_FALSE(takes(both, jwt({{"alg", "HS256"}, {"kid", "new"}}, claims())));
  EXPECT_FALSE(takes(both, jwt(kHeader, claims())));
  const JwtTokens rotated({new_key});
  EXPECT_FALSE(takes(rotated, of_old));
  EXPECT_TRUE(takes(rotated, of_new));
  const JwtTokens only({{.app_id = "demo", .secret = kSecret}});
  EXPECT_TRUE(takes(only, of_old));
}

TEST(TokenKeysTest, KeysThatDoNotFitTheirAlgorithmAreRefused) {
  const KeyPair rsa(EVP_RSA_gen(2048));
  const KeyPair weak(EVP_RSA_gen(1024));
  const KeyPair ec(EVP_EC_gen("P-256"));
  const KeyPair other_curve(EVP_EC_gen("P-384"));
  const auto fits = [](const std::string& text, TokenAlgorithm algorithm) {
    return check_token_key({.app_id = "demo", .secret = text, .algorithm = algorithm}).has_value();
  };
  EXPECT_TRUE(fits(rsa.pem(false), TokenAlgorithm::kRs256));
  EXPECT_TRUE(fits(ec.pem(false), TokenAlgorithm::kEs256));
  EXPECT_FALSE(fits(weak.pem(false), TokenAlgorithm::kRs256));
  EXPECT_FALSE(fits(other_curve.pem(false), TokenAlgorithm::kEs256));
  EXPECT_FALSE(fits(rsa.pem(false), TokenAlgorithm::kEs256));
  EXPECT_FALSE(fits(ec.pem(false), TokenAlgorithm::kRs256));
  EXPECT_FALSE(fits("no key", TokenAlgorithm::kRs256));
  EXPECT_FALSE(fits("short", TokenAlgorithm::kHs256));
}

}  // namespace
}  // namespace hongyan::auth
