// TLS (OpenSSL 3): certificates, and the TLS of one connection.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "common/base/result.h"
#include "common/net/asio.h"

struct ssl_ctx_st;
struct ssl_session_st;
struct ssl_st;

namespace hongyan::net {

// What connections of one kind share: certificate or trust, versions (TLS 1.2 and later), keys of session
// tickets. Any thread. Connections keep what they need of it alive.
class TlsContext {
 public:
  // For servers. certificate_file: PEM, the server's own first, then what leads to the CA. previous: clients
  // that have a session with it can resume it with this one. Errors: kBadRequest with file and reason; a
  // certificate out of its time is none (see expires_at()).
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> server(const std::string& certificate_file,
                                                                        const std::string& key_file,
                                                                        const TlsContext* previous = nullptr);
  // For clients. ca_file: PEM, who is trusted; "": whom the system trusts. Errors: kBadRequest.
  [[nodiscard]] static Result<std::shared_ptr<const TlsContext>> client(const std::string& ca_file);

  ~TlsContext();
  TlsContext(const TlsContext&) = delete;
  TlsContext& operator=(const TlsContext&) = delete;

  // Of a server's certificate: seconds since 1970.
  [[nodiscard]] std::int64_t expires_at() const noexcept { return expires_at_; }
  [[nodiscard]] bool valid_at(std::int64_t now) const noexcept {
    return now >= begins_at_ && now < expires_at_;
  }

  [[nodiscard]] ssl_ctx_st* get() const noexcept { return context_; }

 private:
  explicit TlsContext(ssl_ctx_st* context) noexcept : context_(context) {}
  [[nodiscard]] Status load(const std::string& certificate_file, const std::string& key_file);

  ssl_ctx_st* const context_;
  std::int64_t begins_at_ = 0;
  std::int64_t expires_at_ = 0;
};

// A session that a client resumes: what a server gave it last. Any thread.
class TlsResumption {
 public:
  TlsResumption() = default;
  ~TlsResumption();
  TlsResumption(const TlsResumption&) = delete;
  TlsResumption& operator=(const TlsResumption&) = delete;

 private:
  friend class TlsSession;
  std::mutex mutex_;
  ssl_session_st* session_ = nullptr;
};

// One connection's TLS, on a non-blocking socket that the owner keeps open longer. Lives on the socket's
// loop.
class TlsSession {
 public:
  // Of a server.
  TlsSession(const TlsContext& context, int socket);
  // Of a client. host: name or address that the certificate must be for. resumption: may be null; used, and
  // renewed by what the server sends; outlives the session.
  TlsSession(const TlsContext& context, int socket, const std::string& host, TlsResumption* resumption);
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;
  TlsSession& operator=(const TlsSession&) = delete;

  enum class Outcome : std::uint8_t { kDone, kWantRead, kWantWrite, kClosed, kFailed };
  struct Io {
    Outcome outcome = Outcome::kFailed;
    std::size_t bytes = 0;
  };
  // Reading and writing do the handshake when it is not done.
  [[nodiscard]] Io handshake();
  [[nodiscard]] Io read_some(asio::mutable_buffer into);
  // One record, at most kMostRecord bytes. After kWant… the next call begins with the same bytes.
  static constexpr std::size_t kMostRecord = 16 << 10;
  [[nodiscard]] Io write_some(asio::const_buffer bytes);
  // Tells the peer that nothing more will be written, when that is possible now.
  void finish();

  // Bytes have been read from the socket and wait here: reading may succeed without waiting.
  [[nodiscard]] bool buffered() const noexcept;
  [[nodiscard]] bool resumed() const noexcept;
  // Why it failed, for people: "certificate has expired".
  [[nodiscard]] std::string failure() const;

 private:
  [[nodiscard]] Io outcome_of(int result, std::size_t bytes);

  ssl_st* const ssl_;
  TlsResumption* const resumption_ = nullptr;
  unsigned long error_ = 0;
  bool failed_ = false;
};

}  // namespace hongyan::net
