#include "common/daemon/certificate.h"

#include "common/base/clock.h"
#include "common/log/log.h"

namespace hongyan::daemon {

namespace {

std::int64_t seconds_now() { return wall_ms() / 1000; }

}  // namespace

std::string check_certificate(const CertificateFiles& files) {
  if (!files.set()) return {};
  if (files.certificate.empty() || files.key.empty()) return "a certificate and its key go together";
  const auto loaded = net::TlsContext::server(files.certificate, files.key);
  return loaded ? std::string() : loaded.error().message;
}

Status Certificate::load() {
  if (!files_.set()) return {};
  auto loaded = net::TlsContext::server(files_.certificate, files_.key, context_.get());
  if (!loaded) return fail(loaded.error().code, "tls: " + loaded.error().message);
  const std::int64_t now = seconds_now();
  if (!(*loaded)->valid_at(now)) {
    // Better than none at a start, but never in the place of a good one.
    const std::string what = files_.certificate + ": the certificate has expired or is not valid yet";
    if (context_ && context_->valid_at(now)) return fail(Code::kBadRequest, "tls: " + what);
    log::warn(component_, "{}: clients will refuse it", what);
  }
  context_ = std::move(*loaded);
  expires_at_ = context_->expires_at();
  return {};
}

void Certificate::reload(const std::function<void(const std::shared_ptr<const net::TlsContext>&)>& serve) {
  if (!context_) return log::info(component_, "nothing to reload: no TLS");
  if (auto loaded = load(); !loaded) {
    return log::error(component_, "reload failed, the present certificate stays: {}", loaded.error().message);
  }
  serve(context_);
  log::info(component_, "certificate reloaded expires_in_hours={}", (expires_at_ - seconds_now()) / 3600);
}

void Certificate::watch(metrics::Registry& registry, metrics::Health& health) const {
  auto& gauge = registry.gauge("hongyan_" + component_ + "_certificate_expires_seconds",
                               "When the TLS certificate expires, since 1970; 0: none.");
  registry.before_collect([this, &gauge] { gauge.Set(static_cast<double>(expires_at())); });
  if (!context_) return;
  health.add("certificate", [this] {
    if (expires_at() > seconds_now()) return metrics::HealthCheck{};
    return metrics::HealthCheck{.state = metrics::HealthState::kDegraded,
                                .text = "the TLS certificate has expired"};
  });
}

}  // namespace hongyan::daemon
