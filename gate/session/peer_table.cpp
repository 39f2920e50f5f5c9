#include "gate/session/peer_table.h"

#include <algorithm>

#include "common/base/assert.h"

namespace hongyan::gate {

Peer& PeerTable::add(SteadyTime now) {
  auto peer = std::make_unique<Peer>();
  peer->channel = next_channel_++;
  peer->accepted_at = now;
  peer->last_packet = now;
  peer->last_reported = now;
  channels_.emplace(peer->channel, order_.size());
  order_.push_back(std::move(peer));
  return *order_.back();
}

void PeerTable::remove(std::uint64_t channel) {
  const auto it = channels_.find(channel);
  if (it == channels_.end()) return;
  const std::size_t place = it->second;
  log_out(*order_[place]);
  channels_.erase(it);
  if (place + 1 != order_.size()) {
    order_[place] = std::move(order_.back());
    channels_[order_[place]->channel] = place;
  }
  order_.pop_back();
}

Peer* PeerTable::find(std::uint64_t channel) noexcept {
  const auto it = channels_.find(channel);
  return it == channels_.end() ? nullptr : order_[it->second].get();
}

Peer* PeerTable::find(std::string_view app_id, std::string_view uid, DeviceClass device_class) noexcept {
  const auto it = users_.left.find(user_key(app_id, uid, device_class));
  return it == users_.left.end() ? nullptr : find(it->second);
}

Peer* PeerTable::log_in(Peer& peer, std::uint64_t login_epoch, SteadyTime now) {
  log_out(peer);
  Peer* other = find(peer.app_id, peer.uid, peer.device_class);
  if (other != nullptr && other->login_epoch > login_epoch) return &peer;
  if (other != nullptr) log_out(*other);
  peer.login_epoch = login_epoch;
  peer.logged_in = true;
  peer.login_at = now;
  users_.insert(Users::value_type(user_key(peer.app_id, peer.uid, peer.device_class), peer.channel));
  return other;
}

void PeerTable::log_out(Peer& peer) {
  if (!peer.logged_in) return;
  peer.logged_in = false;
  users_.right.erase(peer.channel);
}

std::string PeerTable::user_key(std::string_view app_id, std::string_view uid, DeviceClass device_class) {
  std::string key;
  key.reserve(app_id.size() + uid.size() + 2);
  key.append(app_id).append(1, '\0').append(uid).append(1, static_cast<char>(device_class));
  return key;
}

}  // namespace hongyan::gate
