#include "logic/login/accounts.h"

#include "proto/internal.pb.h"

namespace hongyan::logic {

void Accounts::read(const Request& request) { run(request, {.kind = UserRequest::Kind::kRead}); }

void Accounts::register_user(const Request& request) {
  internal::Register wanted;
  if (!context_.parse(request, wanted)) return;
  UserRequest user{.kind = UserRequest::Kind::kRegister, .created_time = context_.wall()};
  if (wanted.has_password_hash()) user.password_hash = std::move(*wanted.mutable_password_hash());
  run(request, std::move(user));
}

void Accounts::ban(const Request& request) {
  internal::Ban wanted;
  if (!context_.parse(request, wanted)) return;
  run(request, {.kind = UserRequest::Kind::kBan,
                .ban = {.until_ms = wanted.until_ms(), .reason = std::move(*wanted.mutable_reason())}});
}

void Accounts::run(const Request& request, UserRequest wanted) {
  if (!context_.serves(request)) return;
  User& user = context_.users.get(request.app_id, request.uid, request.slot);
  ++user.busy;
  wanted.user = user.key;
  wanted.slot = request.slot;
  const UserRequest::Kind kind = wanted.kind;
  context_.shards.of(request.slot)
      .run_user_request(std::move(wanted),
                        [this, &user, to = request.reply_to, kind](Result<StoredUser> stored) {
                          context_.later([this, &user, to, kind, stored = std::move(stored)] {
                            --user.busy;
                            finished(user, to, kind, stored);
                          });
                        });
}

void Accounts::finished(User& user, const ReplyTo& to, UserRequest::Kind kind,
                        const Result<StoredUser>& stored) {
  if (!stored) return context_.refuse(to, stored.error());
  internal::User out;
  if (kind == UserRequest::Kind::kBan) out.set_kicked(logins_.set_ban(user, stored->ban));
  out.set_created_time(stored->created_time);
  out.set_created(stored->created);
  out.mutable_ban()->set_until_ms(stored->ban.until_ms);
  out.mutable_ban()->set_reason(stored->ban.reason);
  reply(to, out.SerializeAsString());
}

}  // namespace hongyan::logic
