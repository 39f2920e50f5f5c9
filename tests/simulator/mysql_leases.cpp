// logic/store/mysql/sql: fence, beats, leases, upkeep, redo.
#include <algorithm>
#include <set>

#include "logic/store/mysql/sql/beats.h"
#include "logic/store/mysql/sql/fence.h"
#include "logic/store/mysql/sql/leases.h"
#include "logic/store/mysql/sql/redo.h"
#include "logic/store/mysql/sql/upkeep.h"
#include "tests/simulator/mysql_client.h"

namespace hongyan::logic {

using namespace simulator;  // NOLINT(google-build-using-namespace)

namespace {

struct Nothing {};

DbStatus status_of(const DbResult<Nothing>& result) {
  if (!result) return std::unexpected(result.error());
  return {};
}

Lock shared(NodeNumber node) { return {.name = node_lock(node), .exclusive = false}; }
Lock exclusive(NodeNumber node) { return {.name = node_lock(node), .exclusive = true}; }
Lock leases() { return {.name = kLeasesLock, .exclusive = true}; }

DbResult<Handed> overtaken(MysqlConnection& connection) {
  if (auto back = connection.rollback(); !back) return std::unexpected(back.error());
  return Handed::kOvertaken;
}

DbStatus begin(MysqlConnection& connection) { return connection.query("BEGIN"); }

MsgId largest_id(const Tables& tables, Slot slot) {
  MsgId past = 0;
  if (const auto sent = tables.sent_of.find(slot); sent != tables.sent_of.end()) {
    past = std::max(past, sent->second.rbegin()->first);
  }
  if (const auto placed = tables.placed_of.find(slot); placed != tables.placed_of.end()) {
    past = std::max(past, placed->second.rbegin()->first);
  }
  for (const auto& [source, destination, id] : tables.pending) {
    if (source == slot) past = std::max(past, id);
  }
  return past;
}

DbStatus read_largest_ids(MysqlConnection& connection, std::vector<Slot> slots, MsgId& past) {
  auto read = ask<MsgId>(connection, {}, [slots = std::move(slots)](ServerSession& session, MsgId& out) {
    const Tables& tables = session.tables();
    const std::set<Slot> wanted(slots.begin(), slots.end());
    for (const auto& [slot, ids] : tables.sent_of) {
      if (wanted.contains(slot)) out = std::max(out, largest_id(tables, slot));
    }
    for (const auto& [slot, ids] : tables.placed_of) {
      if (wanted.contains(slot)) out = std::max(out, largest_id(tables, slot));
    }
    for (const auto& [source, destination, id] : tables.pending) {
      if (wanted.contains(source)) out = std::max(out, id);
    }
  });
  if (!read) return std::unexpected(read.error());
  past = std::max(past, *read);
  return {};
}

RedoRow redo_row(const Tables& tables, Slot slot, const std::pair<std::string, std::size_t>& place) {
  return {.app_id = kApp, .slot = slot, .message = tables.outbox.at(place.first).at(place.second).message};
}

GroupRedoRow placed_row(const Tables& tables, Slot slot, const std::pair<std::int64_t, std::int64_t>& place) {
  return {.app_id = kApp, .slot = slot, .row = tables.groups.at(place.first).rows.at(place.second)};
}

// Of by_slot: rows above the marks, by slot and id.
template <typename Row, typename Index, typename Make>
DbResult<std::vector<Row>> above(MysqlConnection& connection, std::span<const SlotMark> marks,
                                 std::size_t limit, Index index, Make make) {
  const std::vector<SlotMark> wanted(marks.begin(), marks.end());
  return ask<std::vector<Row>>(connection, {},
                               [wanted, limit, index, make](ServerSession& session, std::vector<Row>& out) {
                                 const Tables& tables = session.tables();
                                 const auto& by_slot = tables.*index;
                                 for (const SlotMark& mark : wanted) {
                                   const auto ids = by_slot.find(mark.slot);
                                   if (ids == by_slot.end()) continue;
                                   for (auto it = ids->second.upper_bound(mark.mark);
                                        it != ids->second.end() && out.size() < limit; ++it) {
                                     out.push_back(make(tables, mark.slot, it->second));
                                   }
                                 }
                               });
}

template <typename Row, typename Index, typename Make>
DbResult<std::vector<Row>> by_ids(MysqlConnection& connection, Slot slot, std::span<const MsgId> ids,
                                  Index index, Make make) {
  const std::set<MsgId> wanted(ids.begin(), ids.end());
  return ask<std::vector<Row>>(connection, {},
                               [wanted, slot, index, make](ServerSession& session, std::vector<Row>& out) {
                                 const Tables& tables = session.tables();
                                 const auto& by_slot = tables.*index;
                                 const auto known = by_slot.find(slot);
                                 if (known == by_slot.end()) return;
                                 for (const MsgId id : wanted) {
                                   const auto place = known->second.find(id);
                                   if (place != known->second.end())
                                     out.push_back(make(tables, slot, place->second));
                                 }
                               });
}

}  // namespace

// fence.h

bool refused_by_fence(const DbError& error) noexcept { return error.code == 1048; }

DbResult<Fence> begin_fenced(MysqlConnection& connection, const FenceKey& key) {
  return ask<Fence>(connection, {shared(key.node)}, [key](ServerSession& session, Fence& out) {
    session.begin();
    out = fence_holds(session, key) ? Fence::kHolds : Fence::kRefused;
  });
}

DbResult<std::shared_ptr<Tenure>> read_tenure(MysqlConnection& connection, std::uint32_t node,
                                              std::uint64_t epoch) {
  return ask<std::shared_ptr<Tenure>>(connection, {},
                                      [node, epoch](ServerSession& session, std::shared_ptr<Tenure>& out) {
                                        const auto row = session.tables().nodes.find(node);
                                        if (row == session.tables().nodes.end() || row->second.epoch != epoch)
                                          return;
                                        out = std::make_shared<Tenure>();
                                        out->epoch = epoch;
                                        out->barrier = row->second.barrier;
                                        for (const auto& lease : session.tables().leases) {
                                          if (lease.owner == node)
                                            out->slot_epochs.at(lease.slot) = lease.epoch;
                                        }
                                      });
}

DbResult<bool> pass_barrier(MysqlConnection& connection, std::uint32_t node, std::uint64_t epoch) {
  return change<bool>(connection, {exclusive(node)}, [node, epoch](ServerSession& session, bool& out) {
    const auto row = session.tables().nodes.find(node);
    out = row != session.tables().nodes.end() && row->second.epoch == epoch;
    if (out) session.write([node](Tables& tables) { ++tables.nodes.at(node).barrier; });
    return StepError();
  });
}

// beats.h

DbResult<Beat> write_beat(MysqlConnection& connection, NodeNumber node, std::uint64_t boot,
                          std::uint64_t epoch, MsgId id_limit) {
  auto beat = ask<Beat>(connection, {shared(node)}, [node](ServerSession& session, Beat& out) {
    session.begin();
    const auto row = session.tables().nodes.find(node);
    if (row == session.tables().nodes.end()) return;
    out = {.node = {.found = true, .boot = row->second.boot, .epoch = row->second.epoch},
           .clock_ms = session.database().clock_ms()};
  });
  if (!beat) return beat;
  if (!beat->node.found || beat->node.boot != boot || beat->node.epoch != epoch) {
    if (auto back = connection.rollback(); !back) return std::unexpected(back.error());
    return beat;
  }
  auto written = change<Nothing>(
      connection, {}, [node, boot, time = beat->clock_ms, id_limit](ServerSession& session, Nothing&) {
        session.write([=](Tables& tables) {
          auto& row = tables.beats[node];
          row = {.boot = boot, .time = time, .id_limit = std::max(row.id_limit, id_limit)};
        });
        session.commit();
        return StepError();
      });
  if (!written) return std::unexpected(written.error());
  return beat;
}

DbResult<ShardSeen> read_shard(MysqlConnection& connection) {
  auto nodes =
      ask<std::vector<NodeSeen>>(connection, {}, [](ServerSession& session, std::vector<NodeSeen>& out) {
        const Tables& tables = session.tables();
        for (const auto& [number, node] : tables.nodes) {
          const auto beat = tables.beats.find(number);
          const bool beats = beat != tables.beats.end() && beat->second.boot == node.boot;
          const auto standby = tables.standby.find(number);
          out.push_back({.node = number,
                         .boot = node.boot,
                         .epoch = node.epoch,
                         .beat = beats ? beat->second.time : 0,
                         .ready = standby == tables.standby.end() || standby->second != node.boot});
        }
      });
  if (!nodes) return std::unexpected(nodes.error());
  auto leases =
      ask<std::vector<LeaseSeen>>(connection, {}, [](ServerSession& session, std::vector<LeaseSeen>& out) {
        out.reserve(session.tables().leases.size());
        for (const auto& lease : session.tables().leases)
          out.push_back({.slot = lease.slot, .owner = lease.owner});
      });
  if (!leases) return std::unexpected(leases.error());
  return ShardSeen{.nodes = std::move(*nodes), .leases = std::move(*leases)};
}

DbStatus set_ready(MysqlConnection& connection, NodeNumber node, std::uint64_t boot, bool ready) {
  return status_of(change<Nothing>(connection, {}, [=](ServerSession& session, Nothing&) {
    session.write([=](Tables& tables) {
      if (ready) {
        tables.standby.erase(node);
      } else {
        tables.standby[node] = boot;
      }
    });
    return StepError();
  }));
}

DbResult<bool> lock_number(MysqlConnection& connection, const std::string& database, NodeNumber node) {
  return ask<bool>(connection, {},
                   [name = fmt::format("{}.{}", database, node)](ServerSession& session, bool& out) {
                     out = session.database().lock_name(name, session);
                   });
}

DbResult<LastBeat> read_beat(MysqlConnection& connection, NodeNumber node) {
  return ask<LastBeat>(connection, {}, [node](ServerSession& session, LastBeat& out) {
    const auto beat = session.tables().beats.find(node);
    if (beat != session.tables().beats.end()) out = {.boot = beat->second.boot, .time = beat->second.time};
  });
}

// leases.h

DbResult<Started> start_node(MysqlConnection& connection, NodeNumber node, std::uint64_t boot) {
  auto started = change<Started>(connection, {exclusive(node)}, [=](ServerSession& session, Started& out) {
    session.begin();
    const auto row = session.tables().nodes.find(node);
    const bool known = row != session.tables().nodes.end();
    out.epoch = known ? row->second.epoch + 1 : 1;
    out.barrier = known ? row->second.barrier : 0;
    session.write([=, epoch = out.epoch](Tables& tables) {
      auto& written = tables.nodes[node];
      written.boot = boot;
      written.epoch = epoch;
    });
    return StepError();
  });
  if (!started) return started;
  auto kept = change<std::vector<AcquiredSlot>>(
      connection, {leases()}, [node](ServerSession& session, std::vector<AcquiredSlot>& out) {
        for (const auto& lease : session.tables().leases) {
          if (lease.owner == node)
            out.push_back({.slot = lease.slot, .epoch = lease.epoch + 1, .mark = lease.mark});
        }
        session.write([node](Tables& tables) {
          for (auto& lease : tables.leases) {
            if (lease.owner == node) ++lease.epoch;
          }
        });
        return StepError();
      });
  if (!kept) return std::unexpected(kept.error());
  if (auto done = connection.commit(); !done) return std::unexpected(done.error());
  started->slots = std::move(*kept);
  std::vector<Slot> numbers;
  for (const AcquiredSlot& slot : started->slots) {
    numbers.push_back(slot.slot);
    started->past = std::max(started->past, slot.mark);
  }
  auto limit = ask<MsgId>(connection, {}, [node](ServerSession& session, MsgId& out) {
    const auto beat = session.tables().beats.find(node);
    if (beat != session.tables().beats.end()) out = beat->second.id_limit;
  });
  if (!limit) return std::unexpected(limit.error());
  started->past = std::max(started->past, *limit);
  if (auto read = read_largest_ids(connection, std::move(numbers), started->past); !read) {
    return std::unexpected(read.error());
  }
  return started;
}

DbResult<Handed> release(MysqlConnection& connection, const FenceKey& key, std::span<const Slot> slots) {
  if (auto begun = begin(connection); !begun) return std::unexpected(begun.error());
  auto raised = change<bool>(connection, {exclusive(key.node)}, [key](ServerSession& session, bool& out) {
    const auto row = session.tables().nodes.find(key.node);
    out = row != session.tables().nodes.end() && row->second.epoch == key.epoch &&
          row->second.barrier == key.barrier;
    if (!out || session.database().mutated(Mutation::kReleaseWithoutBarrier)) return StepError();
    session.write([node = key.node](Tables& tables) { ++tables.nodes.at(node).barrier; });
    return StepError();
  });
  if (!raised) return std::unexpected(raised.error());
  if (!*raised) return overtaken(connection);
  const std::vector<Slot> wanted(slots.begin(), slots.end());
  auto freed =
      change<Nothing>(connection, {leases()}, [wanted, node = key.node](ServerSession& session, Nothing&) {
        const bool marks = session.database().mutated(Mutation::kMarkAtRelease);
        session.write([=](Tables& tables) {
          for (const Slot slot : wanted) {
            Tables::Lease* lease = tables.lease(slot);
            if (lease == nullptr || lease->owner != node) continue;
            lease->owner = 0;
            if (marks) lease->mark = std::max(lease->mark, largest_id(tables, slot));
          }
        });
        return StepError();
      });
  if (!freed) return std::unexpected(freed.error());
  if (auto done = connection.commit(); !done) return std::unexpected(done.error());
  return Handed::kDone;
}

DbResult<Handed> evict(MysqlConnection& connection, const FenceKey& key, NodeNumber dead,
                       std::uint64_t epoch) {
  auto begun = begin_fenced(connection, key);
  if (!begun) return std::unexpected(begun.error());
  if (*begun != Fence::kHolds) return overtaken(connection);
  auto raised = change<bool>(connection, {exclusive(dead)}, [dead, epoch](ServerSession& session, bool& out) {
    const auto row = session.tables().nodes.find(dead);
    out = row != session.tables().nodes.end() && row->second.epoch == epoch;
    if (!out || session.database().mutated(Mutation::kEvictWithoutEpoch)) return StepError();
    session.write([dead](Tables& tables) { ++tables.nodes.at(dead).epoch; });
    return StepError();
  });
  if (!raised) return std::unexpected(raised.error());
  if (!*raised && epoch != 0) return overtaken(connection);
  auto freed = change<Nothing>(connection, {leases()}, [dead, epoch](ServerSession& session, Nothing&) {
    session.write([dead, epoch](Tables& tables) {
      if (epoch == 0 && tables.nodes.contains(dead)) return;
      for (auto& lease : tables.leases) {
        if (lease.owner == dead) lease.owner = 0;
      }
    });
    return StepError();
  });
  if (!freed) return std::unexpected(freed.error());
  if (auto done = connection.commit(); !done) return std::unexpected(done.error());
  return Handed::kDone;
}

DbResult<Claimed> claim(MysqlConnection& connection, const FenceKey& key, std::span<const Slot> slots) {
  Claimed claimed;
  auto begun = begin_fenced(connection, key);
  if (!begun) return std::unexpected(begun.error());
  if (*begun != Fence::kHolds) {
    auto back = overtaken(connection);
    if (!back) return std::unexpected(back.error());
    claimed.handed = *back;
    return claimed;
  }
  const std::vector<Slot> wanted(slots.begin(), slots.end());
  auto taken = change<std::vector<AcquiredSlot>>(
      connection, {leases()},
      [wanted, node = key.node](ServerSession& session, std::vector<AcquiredSlot>& out) {
        for (const Slot slot : wanted) {
          const Tables::Lease* lease = session.tables().lease(slot);
          if (lease == nullptr) continue;
          if (lease->owner != 0 && !session.database().mutated(Mutation::kClaimOfOwned)) continue;
          out.push_back({.slot = slot, .epoch = lease->epoch + 1, .mark = lease->mark});
        }
        session.write([out, node](Tables& tables) {
          for (const AcquiredSlot& slot : out) {
            Tables::Lease* lease = tables.lease(slot.slot);
            lease->owner = node;
            lease->epoch = slot.epoch;
          }
        });
        return StepError();
      });
  if (!taken) return std::unexpected(taken.error());
  if (auto done = connection.commit(); !done) return std::unexpected(done.error());
  claimed.slots = std::move(*taken);
  std::vector<Slot> numbers;
  for (const AcquiredSlot& slot : claimed.slots) {
    numbers.push_back(slot.slot);
    claimed.past = std::max(claimed.past, slot.mark);
  }
  if (auto read = read_largest_ids(connection, std::move(numbers), claimed.past); !read) {
    return std::unexpected(read.error());
  }
  return claimed;
}

// upkeep.h

DbStatus write_upkeep(MysqlConnection& connection, std::uint32_t node, const Upkeep& upkeep) {
  return status_of(change<Nothing>(
      connection, {leases()},
      [node, removed = upkeep.remove_pending, added = upkeep.add_pending, marks = upkeep.marks,
       cursors = upkeep.cursors](ServerSession& session, Nothing&) {
        const bool forgets = session.database().mutated(Mutation::kPendingForgotten);
        session.write([=](Tables& tables) {
          for (const auto& one : removed) tables.pending.erase({one.slot, one.destination, one.id});
          for (const auto& one : added) {
            if (!forgets) tables.pending.insert({one.slot, one.destination, one.id});
          }
          for (const auto& one : marks) {
            Tables::Lease* lease = tables.lease(one.slot);
            if (lease != nullptr && lease->owner == node && lease->epoch == one.epoch) {
              lease->mark = std::max(lease->mark, one.mark);
            }
          }
          for (const auto& one : cursors) {
            auto& seq =
                tables.cursors[one.user.uid][{one.cursor.device_class, one.cursor.kind, one.cursor.group_id}];
            seq = std::max(seq, one.cursor.seq);
          }
        });
        return StepError();
      }));
}

// redo.h

DbResult<std::vector<RedoRow>> read_accepted(MysqlConnection& connection, Slot slot,
                                             std::span<const MsgId> ids) {
  return by_ids<RedoRow>(connection, slot, ids, &Tables::sent_of, redo_row);
}

DbResult<std::vector<GroupRedoRow>> read_placed(MysqlConnection& connection, Slot slot,
                                                std::span<const MsgId> ids) {
  return by_ids<GroupRedoRow>(connection, slot, ids, &Tables::placed_of, placed_row);
}

DbResult<std::vector<RedoRow>> read_accepted_above(MysqlConnection& connection,
                                                   std::span<const SlotMark> marks, std::size_t limit) {
  return above<RedoRow>(connection, marks, limit, &Tables::sent_of, redo_row);
}

DbResult<std::vector<GroupRedoRow>> read_placed_above(MysqlConnection& connection,
                                                      std::span<const SlotMark> marks, std::size_t limit) {
  return above<GroupRedoRow>(connection, marks, limit, &Tables::placed_of, placed_row);
}

DbResult<std::vector<PendingEntry>> read_pending(MysqlConnection& connection, std::span<const Slot> slots) {
  const std::set<Slot> wanted(slots.begin(), slots.end());
  return ask<std::vector<PendingEntry>>(
      connection, {}, [wanted](ServerSession& session, std::vector<PendingEntry>& out) {
        for (const auto& [slot, destination, id] : session.tables().pending) {
          if (!wanted.contains(slot)) continue;
          out.push_back({.slot = slot, .destination = destination, .id = id});
        }
      });
}

}  // namespace hongyan::logic
