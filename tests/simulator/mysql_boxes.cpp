// logic/store/mysql/sql: boxes, pages, users, groups, parked rows.
#include <algorithm>
#include <map>
#include <set>

#include "logic/store/mysql/sql/boxes.h"
#include "logic/store/mysql/sql/groups.h"
#include "logic/store/mysql/sql/pages.h"
#include "logic/store/mysql/sql/parked.h"
#include "logic/store/mysql/sql/users.h"
#include "tests/simulator/mysql_client.h"

namespace hongyan::logic {

using namespace simulator;  // NOLINT(google-build-using-namespace)

namespace {

struct Nothing {};

DbStatus status_of(const DbResult<Nothing>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

StepError refusal_by_fence(ServerSession& session) {
  session.database().world().trace("{}: the fence refuses node {}", session.database().name(),
                                   session.node());
  return DbError{.fault = DbFault::kOther, .code = 1048, .message = "fence"};
}

struct BoxInsert {
  std::string uid;
  Tables::BoxRow row;
};

Lock box_lock(const std::string& uid) { return {.name = "box of " + uid, .exclusive = true}; }
Lock group_lock(std::int64_t group_id) {
  return {.name = fmt::format("group {}", group_id), .exclusive = true};
}

bool clashes(const Database& database, const std::vector<Tables::BoxRow>& box, const Tables::BoxRow& row,
             bool by_client_id) {
  if (database.mutated(Mutation::kNoLookup)) return false;
  return std::ranges::any_of(box, [&](const Tables::BoxRow& there) {
    return there.seq == row.seq || (by_client_id ? there.message.client_msg_id == row.message.client_msg_id
                                                 : there.message.id == row.message.id);
  });
}

void commit_outbox(ServerSession& session, const BoxInsert& insert) {
  session.write([insert, node = session.node(), &database = session.database()](Tables& tables) {
    database.check_owner(node, insert.row.slot, "an outbox row");
    auto& box = tables.outbox[insert.uid];
    tables.sent_of[insert.row.slot][insert.row.message.id] = {insert.uid, box.size()};
    box.push_back(insert.row);
    database.watch.committed_outbox(insert.row);
  });
}

void commit_inbox(ServerSession& session, const BoxInsert& insert) {
  session.write([insert, node = session.node(), &database = session.database()](Tables& tables) {
    database.check_owner(node, insert.row.slot, "an inbox row");
    tables.inbox[insert.uid].push_back(insert.row);
    database.watch.committed_inbox(insert.uid, insert.row);
  });
}

template <typename Work>
constexpr bool kIsOutbox = std::is_same_v<Work, OutboxWork>;

template <typename Work>
StepError insert_rows(ServerSession& session, const std::vector<BoxInsert>& rows,
                      const std::optional<FenceKey>& fence) {
  if (fence && !fence_holds(session, *fence)) return refusal_by_fence(session);
  Tables& tables = session.tables();
  auto& boxes = kIsOutbox<Work> ? tables.outbox : tables.inbox;
  for (const BoxInsert& insert : rows) {
    if (clashes(session.database(), boxes[insert.uid], insert.row, kIsOutbox<Work>)) return duplicate();
  }
  for (const BoxInsert& insert : rows) {
    if constexpr (kIsOutbox<Work>) {
      commit_outbox(session, insert);
    } else {
      commit_inbox(session, insert);
    }
  }
  return std::nullopt;
}

std::vector<UserKey> keys_of(std::span<const UserKey* const> users) {
  std::vector<UserKey> keys;
  for (const UserKey* user : users) keys.push_back(*user);
  return keys;
}

std::int64_t tail(const std::map<std::string, std::vector<Tables::BoxRow>>& boxes, const std::string& uid) {
  const auto box = boxes.find(uid);
  return box == boxes.end() || box->second.empty() ? 0 : box->second.back().seq;
}

// At most `limit` messages, within the budget but at least one.
class PageBuilder {
 public:
  PageBuilder(std::size_t limit, std::size_t byte_budget) : limit_(limit), budget_(byte_budget) {}
  // False: full.
  bool add(StoredMessage stored) {
    if (page_.size() >= limit_) return false;
    if (!page_.empty() && bytes_ + stored.page_bytes() > budget_) return false;
    bytes_ += stored.page_bytes();
    page_.push_back(std::move(stored));
    return true;
  }
  [[nodiscard]] std::vector<StoredMessage> take() { return std::move(page_); }

 private:
  const std::size_t limit_;
  const std::size_t budget_;
  std::size_t bytes_ = 0;
  std::vector<StoredMessage> page_;
};

}  // namespace

// boxes.h

template <typename Work>
RowInsert<Work>::RowInsert() = default;

template <typename Work>
bool RowInsert<Work>::is_single(std::size_t rows) noexcept {
  return rows != 0;
}

template <typename Work>
DbResult<Fence> RowInsert<Work>::run(MysqlConnection& connection, std::span<Work* const> rows,
                                     const FenceKey* fence) {
  if (rows.empty()) return Fence::kHolds;
  std::vector<BoxInsert> inserts;
  std::vector<Lock> locks;
  std::set<std::string> users;
  if (fence != nullptr) locks.push_back({.name = node_lock(fence->node), .exclusive = false});
  for (const Work* work : rows) {
    inserts.push_back(
        {.uid = work->user.uid, .row = {.seq = work->seq, .slot = work->slot, .message = work->message}});
    if (users.insert(work->user.uid).second) locks.push_back(box_lock(work->user.uid));
  }
  auto done =
      client_of(connection)
          .call({.locks = std::move(locks),
                 .run = [inserts = std::move(inserts),
                         key = fence != nullptr ? std::optional(*fence) : std::nullopt](
                            ServerSession& session) { return insert_rows<Work>(session, inserts, key); },
                 .writes = true});
  if (done) return Fence::kHolds;
  if (fence != nullptr && refused_by_fence(done.error())) return Fence::kRefused;
  return std::unexpected(done.error());
}

template class RowInsert<OutboxWork>;
template class RowInsert<InboxWork>;

DbStatus load_tails(MysqlConnection& connection, std::span<const UserKey* const> users,
                    const OnTails& on_tails) {
  using Tails = std::vector<std::pair<std::int64_t, std::int64_t>>;
  auto tails = ask<Tails>(connection, {}, [keys = keys_of(users)](ServerSession& session, Tails& out) {
    for (const UserKey& key : keys) {
      out.emplace_back(tail(session.tables().inbox, key.uid), tail(session.tables().outbox, key.uid));
    }
  });
  if (!tails) return std::unexpected(tails.error());
  for (std::size_t i = 0; i < tails->size(); ++i) on_tails(i, (*tails)[i].first, (*tails)[i].second);
  return {};
}

DbStatus look_up_outbox(MysqlConnection& connection, std::span<OutboxWork* const> works,
                        const OnOutboxRow& on_row) {
  if (works.empty()) return {};
  std::vector<std::pair<std::string, std::string>> wanted;
  for (const OutboxWork* work : works) wanted.emplace_back(work->user.uid, work->message.client_msg_id);
  using Found = std::vector<std::pair<std::size_t, StoredMessage>>;
  auto found = ask<Found>(connection, {}, [wanted](ServerSession& session, Found& out) {
    if (session.database().mutated(Mutation::kNoLookup)) return;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      for (const auto& row : session.tables().outbox[wanted[i].first]) {
        if (row.message.client_msg_id != wanted[i].second) continue;
        StoredMessage stored{.seq = row.seq, .message = row.message};
        stored.message.content = stored.message.mentions = nullptr;
        out.emplace_back(i, std::move(stored));
        break;
      }
    }
  });
  if (!found) return std::unexpected(found.error());
  for (const auto& [work, row] : *found) on_row(work, row);
  return {};
}

DbStatus look_up_inbox(MysqlConnection& connection, std::span<InboxWork* const> works,
                       const OnInboxRow& on_row) {
  if (works.empty()) return {};
  std::vector<std::pair<std::string, MsgId>> wanted;
  for (const InboxWork* work : works) wanted.emplace_back(work->user.uid, work->message.id);
  using Found = std::vector<std::pair<std::size_t, std::int64_t>>;
  auto found = ask<Found>(connection, {}, [wanted](ServerSession& session, Found& out) {
    if (session.database().mutated(Mutation::kNoLookup)) return;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      for (const auto& row : session.tables().inbox[wanted[i].first]) {
        if (row.message.id != wanted[i].second) continue;
        out.emplace_back(i, row.seq);
        break;
      }
    }
  });
  if (!found) return std::unexpected(found.error());
  for (const auto& [work, seq] : *found) on_row(work, seq);
  return {};
}

// pages.h

DbResult<std::vector<StoredMessage>> PageReader::read(MysqlConnection& connection,
                                                      const PageRequest& request) {
  return ask<std::vector<StoredMessage>>(
      connection, {}, [request](ServerSession& session, std::vector<StoredMessage>& out) {
        auto& boxes = request.box == Box::kInbox ? session.tables().inbox : session.tables().outbox;
        PageBuilder page(request.limit, request.byte_budget);
        for (const auto& row : boxes[request.user.uid]) {
          if (row.seq <= request.after || row.seq > request.up_to) continue;
          StoredMessage stored{.seq = row.seq, .message = row.message};
          (request.box == Box::kInbox ? stored.message.to : stored.message.from) = request.user.uid;
          if (!page.add(std::move(stored))) break;
        }
        out = page.take();
      });
}

DbResult<std::vector<StoredMessage>> PageReader::read(MysqlConnection& connection,
                                                      const GroupPageRequest& request) {
  return ask<std::vector<StoredMessage>>(
      connection, {}, [request](ServerSession& session, std::vector<StoredMessage>& out) {
        PageBuilder page(request.limit, request.byte_budget);
        for (const auto& [seq, row] : session.tables().groups[request.group_id].rows) {
          if (seq <= request.after || seq > request.up_to) continue;
          if (!page.add({.seq = seq, .message = row.message})) break;
        }
        out = page.take();
      });
}

// users.h

DbResult<StoredUser> read_user(MysqlConnection& connection, const UserKey& user) {
  return ask<StoredUser>(connection, {}, [uid = user.uid](ServerSession& session, StoredUser& out) {
    out = session.tables().users[uid];
  });
}

DbResult<StoredUser> change_user(MysqlConnection& connection, const UserRequest& request) {
  return change<StoredUser>(
      connection, {box_lock(request.user.uid)}, [request](ServerSession& session, StoredUser& out) {
        out = session.tables().users[request.user.uid];
        if (request.kind == UserRequest::Kind::kBan) out.ban = request.ban;
        session.write([uid = request.user.uid, row = out](Tables& tables) { tables.users[uid] = row; });
        return StepError();
      });
}

DbStatus load_cursors(MysqlConnection& connection, std::span<TailsWork* const> works) {
  struct Loaded {
    std::vector<DeviceCursor> cursors;
    std::vector<Membership> groups;
    Ban ban;
  };
  std::vector<std::string> wanted;
  for (const TailsWork* work : works) wanted.push_back(work->user.uid);
  auto loaded =
      ask<std::vector<Loaded>>(connection, {}, [wanted](ServerSession& session, std::vector<Loaded>& out) {
        Tables& tables = session.tables();
        for (const std::string& uid : wanted) {
          Loaded& one = out.emplace_back();
          for (const auto& [key, seq] : tables.cursors[uid]) {
            one.cursors.push_back({.device_class = std::get<0>(key),
                                   .kind = std::get<1>(key),
                                   .seq = seq,
                                   .group_id = std::get<2>(key)});
          }
          for (const auto& [key, stay] : tables.stays[uid]) one.groups.push_back(stay);
          one.ban = tables.users[uid].ban;
        }
      });
  if (!loaded) return std::unexpected(loaded.error());
  for (std::size_t i = 0; i < works.size(); ++i) {
    works[i]->cursors = std::move((*loaded)[i].cursors);
    works[i]->groups = std::move((*loaded)[i].groups);
    works[i]->ban = std::move((*loaded)[i].ban);
  }
  return {};
}

DbResult<std::vector<std::size_t>> count_memberships(MysqlConnection& connection,
                                                     std::span<const UserKey> users) {
  std::vector<std::string> wanted;
  for (const UserKey& user : users) wanted.push_back(user.uid);
  return ask<std::vector<std::size_t>>(
      connection, {}, [wanted](ServerSession& session, std::vector<std::size_t>& out) {
        for (const std::string& uid : wanted) {
          const auto& stays = session.tables().stays[uid];
          out.push_back(static_cast<std::size_t>(
              std::ranges::count_if(stays, [](const auto& stay) { return stay.second.left_seq == 0; })));
        }
      });
}

DbStatus write_memberships(MysqlConnection& connection, std::span<InboxWork* const> rows) {
  std::vector<std::pair<std::string, Membership>> changes;
  for (const InboxWork* row : rows) {
    if (row->membership) changes.emplace_back(row->user.uid, *row->membership);
  }
  return status_of(change<Nothing>(connection, {}, [changes](ServerSession& session, Nothing&) {
    session.write([changes](Tables& tables) {
      for (const auto& [uid, stay] : changes) {
        Membership& known = tables.stays[uid][{stay.group_id, stay.joined_seq}];
        if (stay.changed_seq > known.changed_seq) known = stay;
      }
    });
    return StepError();
  }));
}

// groups.h

DbStatus load_group(MysqlConnection& connection, GroupWork& work) {
  struct Loaded {
    bool found = false;
    std::optional<GroupInfo> info;
    std::int64_t head = 0;
    std::vector<GroupRow> rows;
    std::vector<GroupMember> members;
  };
  constexpr std::size_t kMostFound = 1000;
  auto loaded =
      ask<Loaded>(connection, {},
                  [id = work.group_id, after = work.rows_after, since = work.left_since](
                      ServerSession& session, Loaded& out) {
                    const auto found = session.tables().groups.find(id);
                    if (found == session.tables().groups.end() || !found->second.info) return;
                    const Tables::Group& group = found->second;
                    out.found = true;
                    out.info = group.info;
                    if (!group.rows.empty()) out.head = group.rows.rbegin()->first;
                    if (after) {
                      for (auto it = group.rows.upper_bound(*after);
                           it != group.rows.end() && out.rows.size() < kMostFound; ++it) {
                        out.rows.push_back(it->second);
                      }
                      if (out.rows.size() == kMostFound) out.head = out.rows.back().message.group_seq;
                    }
                    for (const auto& [key, left] : group.members) {
                      if (left != 0 && (since == 0 || left < since)) continue;
                      out.members.push_back({.uid = key.first, .joined_seq = key.second, .left_seq = left});
                    }
                  });
  if (!loaded) return std::unexpected(loaded.error());
  work.found = loaded->found;
  work.members.clear();
  if (!loaded->found) return {};
  work.info = std::move(loaded->info);
  work.head = loaded->head;
  if (work.rows_after) work.rows = std::move(loaded->rows);
  work.members = std::move(loaded->members);
  return {};
}

DbStatus find_placed(MysqlConnection& connection, GroupWork& work) {
  struct Found {
    std::vector<MsgId> placed;
    std::vector<CtrlOutcome> outcomes;
  };
  auto found =
      ask<Found>(connection, {}, [id = work.group_id, ids = work.ids](ServerSession& session, Found& out) {
        const auto group = session.tables().groups.find(id);
        if (group == session.tables().groups.end()) return;
        const std::set<MsgId> wanted(ids.begin(), ids.end());
        for (const auto& [seq, row] : group->second.rows) {
          if (wanted.contains(row.message.id)) out.placed.push_back(row.message.id);
        }
        for (const auto& [msg_id, outcome] : group->second.outcomes) {
          if (wanted.contains(msg_id)) out.outcomes.push_back(outcome);
        }
      });
  if (!found) return std::unexpected(found.error());
  work.placed = std::move(found->placed);
  work.outcomes = std::move(found->outcomes);
  return {};
}

namespace {

// What a kStore stores.
struct GroupStore {
  std::int64_t group_id = 0;
  Slot slot = 0;
  std::vector<GroupRow> rows;
  std::optional<GroupInfo> info;
  std::vector<std::string> joined;
  std::vector<std::string> left;
  bool all_left = false;
  std::optional<CtrlOutcome> answer;

  explicit GroupStore(const GroupWork& work)
      : group_id(work.group_id),
        slot(work.slot),
        rows(work.rows),
        info(work.info),
        joined(work.joined),
        left(work.left),
        all_left(work.all_left),
        answer(work.answer) {}
};

bool clashes(ServerSession& session, const GroupStore& store) {
  const auto found = session.tables().groups.find(store.group_id);
  if (found == session.tables().groups.end()) return false;
  const Tables::Group& group = found->second;
  for (const GroupRow& row : store.rows) {
    if (group.rows.contains(row.message.group_seq)) return true;
    for (const auto& [seq, there] : group.rows) {
      if (there.message.id == row.message.id) return true;
    }
  }
  return store.answer && group.outcomes.contains(store.answer->msg_id);
}

void apply(Tables& tables, const GroupStore& store, Database& database) {
  Tables::Group& group = tables.groups[store.group_id];
  group.slot = store.slot;
  for (const GroupRow& row : store.rows) {
    group.rows[row.message.group_seq] = row;
    group.rows[row.message.group_seq].message.group_id = store.group_id;
    tables.placed_of[store.slot][row.placed_id] = {store.group_id, row.message.group_seq};
    database.watch.committed_group(group.rows[row.message.group_seq]);
  }
  if (!store.rows.empty()) {
    const std::int64_t seq = store.rows.front().message.group_seq;
    for (auto& [key, left] : group.members) {
      if (left == 0 && (store.all_left || std::ranges::find(store.left, key.first) != store.left.end()))
        left = seq;
    }
    for (const std::string& uid : store.joined) group.members[{uid, seq}] = 0;
  }
  if (store.info) group.info = store.info;
  if (store.answer) group.outcomes[store.answer->msg_id] = *store.answer;
}

StepError store_group(ServerSession& session, const GroupStore& store) {
  if (clashes(session, store)) return duplicate();
  session.write([store, node = session.node(), &database = session.database()](Tables& tables) {
    database.check_owner(node, store.slot, "a group's rows");
    apply(tables, store, database);
  });
  return std::nullopt;
}

}  // namespace

DbResult<Fence> insert_group_rows(MysqlConnection& connection, std::span<GroupWork* const> works,
                                  const FenceKey& fence) {
  std::vector<GroupStore> stores;
  std::vector<Lock> locks{{.name = node_lock(fence.node), .exclusive = false}};
  for (const GroupWork* work : works) {
    stores.emplace_back(*work);
    locks.push_back(group_lock(work->group_id));
  }
  auto done = client_of(connection)
                  .call({.locks = std::move(locks),
                         .run = [stores, fence](ServerSession& session) -> StepError {
                           if (!fence_holds(session, fence)) return refusal_by_fence(session);
                           for (const GroupStore& store : stores) {
                             if (auto error = store_group(session, store)) return error;
                           }
                           return std::nullopt;
                         },
                         .writes = true});
  if (done) return Fence::kHolds;
  if (refused_by_fence(done.error())) return Fence::kRefused;
  return std::unexpected(done.error());
}

DbStatus store_command(MysqlConnection& connection, const GroupWork& work) {
  return status_of(change<Nothing>(
      connection, {group_lock(work.group_id)},
      [store = GroupStore(work)](ServerSession& session, Nothing&) { return store_group(session, store); }));
}

DbResult<bool> is_stored(MysqlConnection& connection, const GroupWork& work) {
  return ask<bool>(connection, {}, [store = GroupStore(work)](ServerSession& session, bool& out) {
    const auto found = session.tables().groups.find(store.group_id);
    if (found == session.tables().groups.end()) return;
    const Tables::Group& group = found->second;
    if (store.rows.empty()) {
      out = group.outcomes.contains(store.answer->msg_id);
      return;
    }
    const auto row = group.rows.find(store.rows.front().message.group_seq);
    out = row != group.rows.end() && row->second.placed_id == store.rows.front().placed_id;
  });
}

// parked.h

DbStatus insert_parked(MysqlConnection& connection, std::span<const ParkedRow> rows) {
  std::vector<MsgId> ids;
  for (const ParkedRow& row : rows) ids.push_back(row.id);
  return status_of(change<Nothing>(connection, {}, [ids](ServerSession& session, Nothing&) {
    session.write([ids](Tables& tables) { tables.parked.insert(ids.begin(), ids.end()); });
    return StepError();
  }));
}

}  // namespace hongyan::logic
