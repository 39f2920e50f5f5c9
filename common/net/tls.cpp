#include "common/net/tls.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <ctime>
#include <utility>

#include "common/base/assert.h"

namespace hongyan::net {

namespace {

// The first of what went wrong: later ones only say in which part of OpenSSL.
std::string first_error() {
  const unsigned long code = ERR_peek_error();
  const char* reason = code == 0 ? nullptr : ERR_reason_error_string(code);
  if (code != 0 && ERR_SYSTEM_ERROR(code)) return std::generic_category().message(ERR_GET_REASON(code));
  return reason == nullptr ? "unknown reason" : reason;
}

// Whether that is what went wrong: some of OpenSSL's ways to say so.
bool needs_passphrase() {
  const unsigned long code = ERR_peek_error();
  const unsigned long last = ERR_peek_last_error();
  const auto is = [&](int library, int reason) {
    return (ERR_GET_LIB(code) == library && ERR_GET_REASON(code) == reason) ||
           (ERR_GET_LIB(last) == library && ERR_GET_REASON(last) == reason);
  };
  return is(ERR_LIB_PEM, PEM_R_BAD_PASSWORD_READ) || is(ERR_LIB_CRYPTO, ERR_R_INTERRUPTED_OR_CANCELLED);
}

std::int64_t seconds_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return 0;
  return ::timegm(&parts);
}

// OpenSSL's own socket BIO raises SIGPIPE when the peer is gone.
int socket_of(BIO* bio) { return static_cast<int>(reinterpret_cast<std::intptr_t>(BIO_get_data(bio))); }

template <typename Call>
int moved(BIO* bio, Call call, void (*set_retry)(BIO*)) {
  BIO_clear_retry_flags(bio);
  ssize_t count = -1;
  do {
    count = call();
  } while (count < 0 && errno == EINTR);
  if (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) set_retry(bio);
  return static_cast<int>(count);
}

int bio_read(BIO* bio, char* into, int size) {
  return moved(
      bio, [&] { return ::recv(socket_of(bio), into, static_cast<std::size_t>(size), MSG_DONTWAIT); },
      [](BIO* blocked) { BIO_set_retry_read(blocked); });
}

int bio_write(BIO* bio, const char* bytes, int size) {
  return moved(
      bio,
      [&] {
        return ::send(socket_of(bio), bytes, static_cast<std::size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
      },
      [](BIO* blocked) { BIO_set_retry_write(blocked); });
}

long bio_ctrl(BIO*, int command, long, void*) { return command == BIO_CTRL_FLUSH ? 1 : 0; }

BIO* new_socket_bio(int socket) {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket");
    BIO_meth_set_read(made, bio_read);
    BIO_meth_set_write(made, bio_write);
    BIO_meth_set_ctrl(made, bio_ctrl);
    return made;
  }();
  BIO* bio = BIO_new(method);
  HONGYAN_ASSERT(bio != nullptr);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<std::intptr_t>(socket)));
  BIO_set_init(bio, 1);
  return bio;
}

SSL* new_ssl(const TlsContext& context, int socket) {
  SSL* ssl = SSL_new(context.get());
  HONGYAN_ASSERT(ssl != nullptr);
  BIO* bio = new_socket_bio(socket);
  SSL_set_bio(ssl, bio, bio);
  return ssl;
}

SSL_CTX* new_context(const SSL_METHOD* method) {
  SSL_CTX* context = SSL_CTX_new(method);
  HONGYAN_ASSERT(context != nullptr);
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_options(context,
                      SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  // An idle connection holds no record buffers (2 * 17 KB otherwise); a read takes all that the socket has.
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                                SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_read_ahead(context, 1);
  return context;
}

}  // namespace

TlsContext::~TlsContext() { SSL_CTX_free(context_); }

Result<std::shared_ptr<const TlsContext>> TlsContext::server(const std::string& certificate_file,
                                                             const std::string& key_file,
                                                             const TlsContext* previous) {
  const std::shared_ptr<TlsContext> made(new TlsContext(new_context(TLS_server_method())));
  SSL_CTX* context = made->get();
  if (auto loaded = made->load(certificate_file, key_file); !loaded) return std::unexpected(loaded.error());
  SSL_CTX_set_options(context, SSL_OP_CIPHER_SERVER_PREFERENCE);
  // Sessions live in the clients' tickets, so that the server holds none.
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 1);
  static constexpr std::string_view kSessions = "hongyan";
  SSL_CTX_set_session_id_context(context, reinterpret_cast<const unsigned char*>(kSessions.data()),
                                 kSessions.size());
  if (previous != nullptr) {
    std::array<unsigned char, 80> keys;
    SSL_CTX_get_tlsext_ticket_keys(previous->get(), keys.data(), static_cast<long>(keys.size()));
    SSL_CTX_set_tlsext_ticket_keys(context, keys.data(), static_cast<long>(keys.size()));
    OPENSSL_cleanse(keys.data(), keys.size());
  }
  return made;
}

Status TlsContext::load(const std::string& certificate_file, const std::string& key_file) {
  ERR_clear_error();
  if (SSL_CTX_use_certificate_chain_file(context_, certificate_file.c_str()) != 1) {
    return fail(Code::kBadRequest, certificate_file + ": " + first_error());
  }
  // OpenSSL would ask the terminal otherwise.
  SSL_CTX_set_default_passwd_cb(context_, [](char*, int, int, void*) { return -1; });
  // A key of another certificate is refused here too.
  if (SSL_CTX_use_PrivateKey_file(context_, key_file.c_str(), SSL_FILETYPE_PEM) != 1 ||
      SSL_CTX_check_private_key(context_) != 1) {
    return fail(
        Code::kBadRequest,
        key_file + ": " + (needs_passphrase() ? "has a passphrase: store it without" : first_error()));
  }
  const X509* certificate = SSL_CTX_get0_certificate(context_);
  begins_at_ = seconds_of(X509_get0_notBefore(certificate));
  expires_at_ = seconds_of(X509_get0_notAfter(certificate));
  return {};
}

Result<std::shared_ptr<const TlsContext>> TlsContext::client(const std::string& ca_file) {
  const std::shared_ptr<TlsContext> made(new TlsContext(new_context(TLS_client_method())));
  ERR_clear_error();
  const int loaded = ca_file.empty() ? SSL_CTX_set_default_verify_paths(made->get())
                                     : SSL_CTX_load_verify_file(made->get(), ca_file.c_str());
  if (loaded != 1) return fail(Code::kBadRequest, ca_file + ": " + first_error());
  SSL_CTX_set_verify(made->get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_session_cache_mode(made->get(), SSL_SESS_CACHE_OFF);
  return made;
}

TlsResumption::~TlsResumption() { SSL_SESSION_free(session_); }

TlsSession::TlsSession(const TlsContext& context, int socket) : ssl_(new_ssl(context, socket)) {
  SSL_set_accept_state(ssl_);
}

TlsSession::TlsSession(const TlsContext& context, int socket, const std::string& host,
                       TlsResumption* resumption)
    : ssl_(new_ssl(context, socket)), resumption_(resumption) {
  SSL_set_connect_state(ssl_);
  // An address goes into the certificate's list of addresses, and never into the name that is asked for.
  if (X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(ssl_), host.c_str()) != 1) {
    ERR_clear_error();
    SSL_set1_host(ssl_, host.c_str());
    SSL_set_tlsext_host_name(ssl_, host.c_str());
  }
  if (resumption_ == nullptr) return;
  const std::lock_guard lock(resumption_->mutex_);
  if (resumption_->session_ != nullptr) SSL_set_session(ssl_, resumption_->session_);
}

TlsSession::~TlsSession() {
  // With TLS 1.3 the server's ticket comes after the handshake: by the end of the connection it is there.
  if (resumption_ != nullptr && SSL_is_init_finished(ssl_) == 1 && !failed_) {
    // OpenSSL spoils the session of a connection that was not shut down.
    SSL_set_quiet_shutdown(ssl_, 1);
    SSL_shutdown(ssl_);
    SSL_SESSION* session = SSL_get1_session(ssl_);
    if (session != nullptr && SSL_SESSION_is_resumable(session) == 1) {
      const std::lock_guard lock(resumption_->mutex_);
      std::swap(session, resumption_->session_);
    }
    SSL_SESSION_free(session);
  }
  SSL_free(ssl_);
}

TlsSession::Io TlsSession::outcome_of(int result, std::size_t bytes) {
  if (result == 1) return {.outcome = Outcome::kDone, .bytes = bytes};
  switch (SSL_get_error(ssl_, result)) {
    case SSL_ERROR_WANT_READ:
      return {.outcome = Outcome::kWantRead};
    case SSL_ERROR_WANT_WRITE:
      return {.outcome = Outcome::kWantWrite};
    case SSL_ERROR_ZERO_RETURN:
      return {.outcome = Outcome::kClosed};
    default:
      failed_ = true;
      error_ = ERR_peek_last_error();
      ERR_clear_error();
      return {};
  }
}

TlsSession::Io TlsSession::handshake() {
  if (failed_) return {};
  ERR_clear_error();
  return outcome_of(SSL_do_handshake(ssl_), 0);
}

TlsSession::Io TlsSession::read_some(asio::mutable_buffer into) {
  if (failed_) return {};
  ERR_clear_error();
  std::size_t count = 0;
  return outcome_of(SSL_read_ex(ssl_, into.data(), into.size(), &count), count);
}

TlsSession::Io TlsSession::write_some(asio::const_buffer bytes) {
  if (failed_) return {};
  ERR_clear_error();
  std::size_t count = 0;
  return outcome_of(SSL_write_ex(ssl_, bytes.data(), bytes.size(), &count), count);
}

void TlsSession::finish() {
  if (failed_ || SSL_is_init_finished(ssl_) != 1) return;
  ERR_clear_error();
  SSL_shutdown(ssl_);
  ERR_clear_error();
}

bool TlsSession::buffered() const noexcept { return SSL_has_pending(ssl_) == 1; }

bool TlsSession::resumed() const noexcept { return SSL_session_reused(ssl_) == 1; }

std::string TlsSession::failure() const {
  const long verified = SSL_get_verify_result(ssl_);
  if (verified != X509_V_OK) return X509_verify_cert_error_string(verified);
  const char* reason = error_ == 0 ? nullptr : ERR_reason_error_string(error_);
  return reason == nullptr ? "connection lost" : reason;
}

}  // namespace hongyan::net
