#include "tests/support/certificate.h"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <cstdio>
#include <memory>

#include "common/base/assert.h"

namespace hongyan::test {

namespace {

template <typename Write>
void write_file(const std::string& path, Write write) {
  std::FILE* file = std::fopen(path.c_str(), "w");
  HONGYAN_ASSERT(file != nullptr);
  HONGYAN_ASSERT(write(file) == 1);
  HONGYAN_ASSERT(std::fclose(file) == 0);
}

}  // namespace

CertificateFiles make_certificate(const std::string& folder, const std::string& passphrase) {
  const std::unique_ptr<EVP_PKEY, decltype(&EVP_PKEY_free)> key(EVP_EC_gen("P-256"), &EVP_PKEY_free);
  const std::unique_ptr<X509, decltype(&X509_free)> certificate(X509_new(), &X509_free);
  HONGYAN_ASSERT(key != nullptr && certificate != nullptr);
  X509* of = certificate.get();
  X509_set_version(of, X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(of), 1);
  X509_gmtime_adj(X509_getm_notBefore(of), -60);
  X509_gmtime_adj(X509_getm_notAfter(of), 3600);
  X509_set_pubkey(of, key.get());
  X509_NAME* name = X509_get_subject_name(of);
  X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>("test"), -1, -1,
                             0);
  X509_set_issuer_name(of, name);
  X509_EXTENSION* names = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, "IP:127.0.0.1");
  HONGYAN_ASSERT(names != nullptr && X509_add_ext(of, names, -1) == 1);
  X509_EXTENSION_free(names);
  HONGYAN_ASSERT(X509_sign(of, key.get(), EVP_sha256()) > 0);
  CertificateFiles files{.certificate = folder + "/certificate.pem", .key = folder + "/key.pem"};
  write_file(files.certificate, [of](std::FILE* file) { return PEM_write_X509(file, of); });
  write_file(files.key, [&](std::FILE* file) {
    if (passphrase.empty())
      return PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    return PEM_write_PKCS8PrivateKey(file, key.get(), EVP_aes_256_cbc(), passphrase.data(),
                                     static_cast<int>(passphrase.size()), nullptr, nullptr);
  });
  return files;
}

}  // namespace hongyan::test
