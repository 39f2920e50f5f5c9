// A certificate for tests.
#pragma once

#include <string>

namespace hongyan::test {

struct CertificateFiles {
  std::string certificate;  // PEM; it signed itself, so it is the CA to trust too
  std::string key;
};
// For 127.0.0.1, good for an hour; written into the folder.
// passphrase: of the key; "": it has none.
[[nodiscard]] CertificateFiles make_certificate(const std::string& folder,
                                                const std::string& passphrase = "");

}  // namespace hongyan::test
