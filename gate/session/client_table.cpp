#include "gate/session/client_table.h"

#include <algorithm>

#include "common/base/assert.h"

namespace hongyan::gate {

Client& ClientTable::add(SteadyTime accepted_at) {
  auto client = std::make_unique<Client>();
  client->channel = next_channel_++;
  client->accepted_at = accepted_at;
  client->last_packet = accepted_at;
  client->last_reported = accepted_at;
  channels_.emplace(client->channel, order_.size());
  order_.push_back(std::move(client));
  return *order_.back();
}

void ClientTable::remove(std::uint64_t channel) {
  const auto it = channels_.find(channel);
  if (it == channels_.end()) return;
  const std::size_t place = it->second;
  log_out(*order_[place]);
  DueWheel::remove(*order_[place]);
  channels_.erase(it);
  if (place + 1 != order_.size()) {
    order_[place] = std::move(order_.back());
    channels_[order_[place]->channel] = place;
  }
  order_.pop_back();
}

Client* ClientTable::find(std::uint64_t channel) noexcept {
  const auto it = channels_.find(channel);
  return it == channels_.end() ? nullptr : order_[it->second].get();
}

Client* ClientTable::find(std::string_view app_id, std::string_view uid, DeviceClass device_class) noexcept {
  const auto it = users_.left.find(user_key(app_id, uid, device_class));
  return it == users_.left.end() ? nullptr : find(it->second);
}

Client* ClientTable::log_in(Client& client, std::uint64_t login_epoch) {
  log_out(client);
  Client* other = find(client.app_id, client.uid, client.device_class);
  if (other != nullptr && other->login_epoch > login_epoch) return &client;
  if (other != nullptr) log_out(*other);
  client.login_epoch = login_epoch;
  client.logged_in = true;
  users_.insert(Users::value_type(user_key(client.app_id, client.uid, client.device_class), client.channel));
  return other;
}

void ClientTable::log_out(Client& client) {
  if (!client.logged_in) return;
  client.logged_in = false;
  users_.right.erase(client.channel);
}

std::string ClientTable::user_key(std::string_view app_id, std::string_view uid, DeviceClass device_class) {
  std::string key;
  key.reserve(app_id.size() + uid.size() + 2);
  key.append(app_id).append(1, '\0').append(uid).append(1, static_cast<char>(device_class));
  return key;
}

}  // namespace hongyan::gate
