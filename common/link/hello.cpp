#include "common/link/hello.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>

#include "common/base/assert.h"
#include "common/base/random.h"

namespace hongyan::link {

namespace {

void append_field(std::string& out, std::string_view field) {
  const auto size = static_cast<std::uint32_t>(field.size());
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(size >> shift);
  out += field;
}

void append_party(std::string& out, const Hello& hello) {
  append_field(out, std::to_string(hello.role()));
  append_field(out, hello.node_id());
  append_field(out, std::to_string(hello.boot_id()));
  append_field(out, hello.nonce());
}

}  // namespace

Hello make_hello(const Identity& identity, std::uint32_t worker) {
  std::array<unsigned char, kNonceSize> nonce;
  random_bytes(nonce);
  Hello hello;
  hello.set_role(identity.role);
  hello.set_node_id(identity.node_id);
  hello.set_boot_id(identity.boot_id);
  hello.set_link_version(kLinkVersion);
  hello.set_nonce(nonce.data(), nonce.size());
  hello.set_worker(worker);
  return hello;
}

Status check_hello(const Hello& hello) {
  // Version N talks to N-1 and N+1.
  if (hello.link_version() == 0 || hello.link_version() > kLinkVersion + 1) {
    return fail(Code::kVersionUnsupported, "link version " + std::to_string(hello.link_version()));
  }
  if (hello.nonce().size() != kNonceSize) return fail(Code::kBadRequest, "nonce size");
  if (hello.node_id().empty() || hello.node_id().size() > 64) return fail(Code::kBadRequest, "node id");
  if (hello.role() == ROLE_NONE) return fail(Code::kBadRequest, "role");
  return {};
}

std::string make_proof(std::string_view secret, Side side, const Hello& client, const Hello& server) {
  std::string text;
  append_field(text, "hongyan link");
  append_field(text, side == Side::kClient ? "client" : "server");
  append_party(text, client);
  append_party(text, server);
  std::array<unsigned char, EVP_MAX_MD_SIZE> mac;
  unsigned int size = 0;
  HONGYAN_ASSERT(HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
                      reinterpret_cast<const unsigned char*>(text.data()), text.size(), mac.data(),
                      &size) != nullptr);
  return {reinterpret_cast<const char*>(mac.data()), size};
}

bool proof_matches(std::string_view mac, std::string_view expected) noexcept {
  return mac.size() == expected.size() && CRYPTO_memcmp(mac.data(), expected.data(), mac.size()) == 0;
}

}  // namespace hongyan::link
