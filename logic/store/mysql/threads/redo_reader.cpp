#include "logic/store/mysql/threads/redo_reader.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <unordered_set>
#include <utility>

#include "logic/store/mysql/sql/redo.h"

namespace hongyan::logic {

namespace {

constexpr std::size_t kSlotsOfAQuery = 64;
constexpr std::size_t kRowsOfAPage = 256;

SlotMark place_of(const RedoRow& row) { return {.slot = row.slot, .mark = row.message.id}; }
SlotMark place_of(const GroupRedoRow& row) { return {.slot = row.slot, .mark = row.row.placed_id}; }

// And each once.
template <typename Row>
void sort_by_id(std::vector<Row>& rows) {
  const auto id = [](const Row& row) { return place_of(row).mark; };
  std::ranges::sort(rows, {}, id);
  const auto twice = std::ranges::unique(rows, {}, id);
  rows.erase(twice.begin(), twice.end());
}

}  // namespace

DbResult<Redo> RedoReader::read(std::span<const AcquiredSlot> slots) {
  Redo redo;
  auto read = read_marked(slots, redo.accepted, read_accepted_above);
  if (read) read = read_marked(slots, redo.placed, read_placed_above);
  if (read) read = read_pending_rows(slots, redo);
  if (!read) return std::unexpected(read.error());
  sort_by_id(redo.accepted);
  sort_by_id(redo.placed);
  return redo;
}

template <typename Row>
DbStatus RedoReader::read_marked(std::span<const AcquiredSlot> slots, std::vector<Row>& rows,
                                 DbResult<std::vector<Row>> (*read)(MysqlConnection&,
                                                                    std::span<const SlotMark>, std::size_t)) {
  for (std::size_t begin = 0; begin < slots.size(); begin += kSlotsOfAQuery) {
    std::vector<SlotMark> marks;
    for (std::size_t i = begin; i < std::min(slots.size(), begin + kSlotsOfAQuery); ++i) {
      marks.push_back({.slot = slots[i].slot, .mark = slots[i].mark});
    }
    while (!marks.empty()) {
      if (auto due = between_(); !due) return due;
      auto page = read(connection_, marks, kRowsOfAPage);
      if (!page) return std::unexpected(page.error());
      if (page->size() < kRowsOfAPage) {
        marks.clear();
      } else {
        const SlotMark last = place_of(page->back());
        std::erase_if(marks, [&](const SlotMark& mark) { return mark.slot < last.slot; });
        marks.front().mark = last.mark;
      }
      std::ranges::move(*page, std::back_inserter(rows));
    }
  }
  return {};
}

DbStatus RedoReader::read_pending_rows(std::span<const AcquiredSlot> slots, Redo& redo) {
  std::vector<Slot> numbers;
  for (const AcquiredSlot& lease : slots) numbers.push_back(lease.slot);
  auto entries = read_pending(connection_, numbers);
  if (!entries) return std::unexpected(entries.error());
  std::unordered_set<MsgId> found;
  std::map<Slot, std::vector<MsgId>> by_slot;
  for (const PendingEntry& entry : *entries) by_slot[entry.slot].push_back(entry.id);
  for (auto& [slot, ids] : by_slot) {
    if (auto due = between_(); !due) return due;
    std::ranges::sort(ids);
    const auto twice = std::ranges::unique(ids);
    ids.erase(twice.begin(), twice.end());
    // Ids of one clock: an id is either a user's message or a group's.
    auto accepted = read_accepted(connection_, slot, ids);
    if (!accepted) return std::unexpected(accepted.error());
    auto placed = read_placed(connection_, slot, ids);
    if (!placed) return std::unexpected(placed.error());
    for (const auto& row : *accepted) found.insert(place_of(row).mark);
    for (const auto& row : *placed) found.insert(place_of(row).mark);
    std::ranges::move(*accepted, std::back_inserter(redo.accepted));
    std::ranges::move(*placed, std::back_inserter(redo.placed));
  }
  std::erase_if(*entries, [&found](const PendingEntry& entry) { return !found.contains(entry.id); });
  redo.pending = std::move(*entries);
  return {};
}

}  // namespace hongyan::logic
