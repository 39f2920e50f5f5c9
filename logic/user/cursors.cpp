#include "logic/user/cursors.h"

#include <algorithm>
#include <array>

namespace hongyan::logic {

namespace {

constexpr Milliseconds kCrowded{1000};
constexpr std::array kKinds = {CursorKind::kInbox, CursorKind::kOutbox};

std::int64_t& cursor_of(User& user, DeviceClass device_class, CursorKind kind) {
  auto& cursors = kind == CursorKind::kInbox ? user.acked_inbox : user.acked_outbox;
  return cursors[static_cast<std::size_t>(device_class)];
}

const std::optional<std::int64_t>& tail_of(const User& user, CursorKind kind) {
  return kind == CursorKind::kInbox ? user.inbox_seq : user.outbox_seq;
}

// The cursor's bit in User::changed_cursors.
std::uint16_t bit_of(DeviceClass device_class, CursorKind kind) {
  const auto place =
      static_cast<unsigned>(device_class) * kKinds.size() + (kind == CursorKind::kInbox ? 0 : 1);
  return static_cast<std::uint16_t>(1U << place);
}
static_assert(kDeviceClassCount * kKinds.size() <= 16);

}  // namespace

Cursors::Cursors(ThreadContext& context) : context_(context), shards_(context.shards.size()) {}

bool Cursors::acked(User& user, DeviceClass device_class, CursorKind kind, std::int64_t seq) {
  std::int64_t& cursor = cursor_of(user, device_class, kind);
  const auto& tail = tail_of(user, kind);
  if (seq < cursor || (tail && seq > *tail)) return false;
  if (tail && seq > cursor) {
    cursor = seq;
    mark(user);
    user.changed_cursors |= bit_of(device_class, kind);
  }
  return true;
}

bool Cursors::acked_group(User& user, UserGroup& group, DeviceClass device_class, std::int64_t seq,
                          std::optional<std::int64_t> head) {
  std::int64_t& cursor = group.acked[static_cast<std::size_t>(device_class)];
  if (!head || seq < cursor || seq > *head) return false;
  if (seq == cursor) return true;
  cursor = seq;
  mark(user);
  user.changed_group_cursors = true;
  group.changed_cursors |= static_cast<std::uint8_t>(1U << static_cast<unsigned>(device_class));
  return true;
}

void Cursors::loaded(User& user, std::span<const DeviceCursor> cursors) {
  for (const DeviceCursor& read : cursors) {
    if (static_cast<std::size_t>(read.device_class) >= kDeviceClassCount) continue;  // of a newer version
    if (read.kind == CursorKind::kGroup) {
      UserGroup* group = user.group(read.group_id);
      if (group == nullptr) continue;  // forgotten
      std::int64_t& acked = group->acked[static_cast<std::size_t>(read.device_class)];
      acked = std::max(acked, read.seq);
      continue;
    }
    if (std::ranges::find(kKinds, read.kind) == kKinds.end()) continue;
    std::int64_t& cursor = cursor_of(user, read.device_class, read.kind);
    // Beyond the tail only when an older copy of the data was put back.
    cursor = std::max(cursor, std::min(read.seq, tail_of(user, read.kind).value_or(0)));
  }
}

void Cursors::mark(User& user) {
  if (user.retired || user.changed_cursors != 0 || user.changed_group_cursors) return;
  shards_[context_.shards.index_of(user.slot)].changed.push_back(&user);
}

void Cursors::leave(User& user, Upkeep& upkeep) {
  if (user.changed_cursors == 0 && !user.changed_group_cursors) return;
  std::erase(shards_[context_.shards.index_of(user.slot)].changed, &user);
  OfShard::Written written{.user = &user, .cursors = 0, .groups = {}};
  collect(user, upkeep, written);
}

void Cursors::tick() {
  const SteadyTime now = context_.now();
  Milliseconds interval = context_.config.cursor_flush;
  if (context_.users.full()) interval = std::min(interval, kCrowded);  // who is written may be forgotten
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    OfShard& mine = shards_[shard];
    if (now < mine.last_flush + interval) continue;
    mine.last_flush = now;
    if (mine.in_flight.empty()) write(shard);
  }
}

void Cursors::flush(std::function<void()> done) {
  done_ = std::move(done);
  for (std::size_t shard = 0; shard < shards_.size(); ++shard) {
    if (shards_[shard].in_flight.empty()) write(shard);
    shards_[shard].more = true;
  }
  finish();
}

void Cursors::write(std::size_t shard) {
  OfShard& mine = shards_[shard];
  Shard& store = context_.shards.at(shard);
  if (mine.changed.empty() || store.down()) return;
  const std::size_t users = std::min(mine.changed.size(), kBatch);
  mine.more = mine.changed.size() > users;
  Upkeep upkeep;
  for (std::size_t i = 0; i < users; ++i) {
    User* user = mine.changed.front();
    mine.changed.pop_front();
    ++user->busy;
    mine.in_flight.push_back({.user = user, .cursors = 0, .groups = {}});
    collect(*user, upkeep, mine.in_flight.back());
  }
  upkeep.done = [this, shard](bool committed) {
    context_.later([this, shard, committed] { written(shard, committed); });
  };
  store.write_upkeep(std::move(upkeep));
}

void Cursors::collect(User& user, Upkeep& upkeep, OfShard::Written& written) {
  const auto add = [&](std::size_t device, CursorKind kind, std::int64_t seq, std::int64_t group_id) {
    upkeep.cursors.push_back({.user = user.key,
                              .cursor = {.device_class = static_cast<DeviceClass>(device),
                                         .kind = kind,
                                         .seq = seq,
                                         .group_id = group_id}});
  };
  written.cursors = std::exchange(user.changed_cursors, 0);
  const bool groups = std::exchange(user.changed_group_cursors, false);
  for (std::size_t device = 0; device < kDeviceClassCount; ++device) {
    const auto device_class = static_cast<DeviceClass>(device);
    for (const CursorKind kind : kKinds) {
      if ((written.cursors & bit_of(device_class, kind)) == 0) continue;
      add(device, kind, cursor_of(user, device_class, kind), 0);
    }
  }
  for (auto it = user.groups.large().begin(); groups && it != user.groups.large().end(); ++it) {
    const std::int64_t group_id = *it;
    UserGroup& group = *user.group(group_id);
    if (group.changed_cursors == 0) continue;
    written.groups.emplace_back(group_id, std::exchange(group.changed_cursors, 0));
    for (std::size_t device = 0; device < kDeviceClassCount; ++device) {
      if ((written.groups.back().second & (1U << device)) == 0) continue;
      add(device, CursorKind::kGroup, group.acked[device], group_id);
    }
  }
}

void Cursors::written(std::size_t shard, bool committed) {
  OfShard& mine = shards_[shard];
  const auto users = std::exchange(mine.in_flight, {});
  if (committed) context_.counters.cursors_kept.add(users.size());
  for (const auto& one : users) {
    --one.user->busy;
    if (committed) continue;
    mark(*one.user);
    one.user->changed_cursors |= one.cursors;
    for (const auto& [group_id, which] : one.groups) {
      UserGroup* group = one.user->group(group_id);
      if (group == nullptr) continue;
      one.user->changed_group_cursors = true;
      group->changed_cursors |= which;
    }
  }
  if (committed && mine.more) write(shard);
  finish();
}

void Cursors::finish() {
  const bool writing =
      std::ranges::any_of(shards_, [](const OfShard& one) { return !one.in_flight.empty(); });
  if (!done_ || writing) return;
  std::exchange(done_, {})();
}

std::size_t Cursors::changed() const {
  std::size_t users = 0;
  for (const OfShard& one : shards_) users += one.changed.size() + one.in_flight.size();
  return users;
}

}  // namespace hongyan::logic
