// The TLS certificate that a daemon serves.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "common/base/result.h"
#include "common/metrics/health.h"
#include "common/metrics/registry.h"
#include "common/net/tls.h"

namespace hongyan::daemon {

// Two PEM files: the certificate with what leads to the CA, and its key.
struct CertificateFiles {
  std::string certificate;
  std::string key;

  [[nodiscard]] bool set() const noexcept { return !certificate.empty() || !key.empty(); }
};

// For config::Schema::check: what is wrong with the files, or "" (also when they are not set). Reads them.
[[nodiscard]] std::string check_certificate(const CertificateFiles& files);

// Loads it, and again on SIGHUP. One that has expired is served at a start, with a warning, and never takes the place of a
// good one. The main thread's, but for expires_at().
class Certificate {
 public:
  // component: of the daemon, in logs and in the metric's name.
  Certificate(std::string component, CertificateFiles files)
      : component_(std::move(component)), files_(std::move(files)) {}

  // At the start; nothing to do without files. Error kBadRequest: file and reason.
  [[nodiscard]] Status load();
  // serve(context) when there is a new one. The log says that it is served, or why not.
  void reload(const std::function<void(const std::shared_ptr<const net::TlsContext>&)>& serve);

  // Null without files.
  [[nodiscard]] const std::shared_ptr<const net::TlsContext>& context() const noexcept { return context_; }
  // Seconds since 1970. Any thread.
  [[nodiscard]] std::int64_t expires_at() const noexcept { return expires_at_; }

  // hongyan_COMPONENT_certificate_expires_seconds, 0 without files; and the health check "certificate".
  void watch(metrics::Registry& registry, metrics::Health& health) const;

 private:
  const std::string component_;
  const CertificateFiles files_;
  std::shared_ptr<const net::TlsContext> context_;
  std::atomic<std::int64_t> expires_at_{0};
};

}  // namespace hongyan::daemon
