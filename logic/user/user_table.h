// The users that a slot thread holds in memory.
#pragma once

#include <boost/intrusive/list.hpp>
#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "logic/user/user.h"

namespace hongyan::logic {

// Users by key. Past `capacity` those longest untouched that nothing needs are forgotten. One thread.
class UserTable {
 public:
  // rules outlives the table. Null: the defaults.
  explicit UserTable(std::size_t capacity, const RulesOfApps* rules = nullptr)
      : capacity_(capacity), rules_(rules) {}
  ~UserTable();
  UserTable(const UserTable&) = delete;
  UserTable& operator=(const UserTable&) = delete;

  // Finds or makes the user, and marks it as used now. The reference stays valid until the user is forgotten,
  // which happens in trim() only, and not while something is under way.
  User& get(std::string_view app_id, std::string_view uid, Slot slot);
  [[nodiscard]] User* find(std::string_view app_id, std::string_view uid);

  // The app's, valid as long as the table.
  [[nodiscard]] const AppRules& rules_of(std::string_view app_id) const noexcept {
    return rules_ == nullptr ? usual_ : rules_->of(app_id);
  }

  // The slot has left: its users are found no more, and forgotten once nothing of them is under way. leaving: called for
  // each before.
  void retire(Slot slot, const std::function<void(User&)>& leaving);

  // Between events: forgets what is beyond the capacity, and who is retired.
  void trim();
  void for_each(const std::function<void(User&)>& visit);

  [[nodiscard]] std::size_t size() const noexcept { return users_.size(); }
  [[nodiscard]] std::size_t retired() const noexcept { return retired_.size(); }
  // There are more than fit: what is forgotten does not suffice.
  [[nodiscard]] bool full() const noexcept { return users_.size() > capacity_; }

 private:
  struct KeyView {
    std::string_view app_id;
    std::string_view uid;
  };
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(const KeyView& key) const noexcept;
    std::size_t operator()(const UserKey& key) const noexcept {
      return (*this)(KeyView{key.app_id, key.uid});
    }
  };
  struct Equal {
    using is_transparent = void;
    bool operator()(const auto& a, const auto& b) const noexcept {
      return a.uid == b.uid && a.app_id == b.app_id;
    }
  };
  using Lru = boost::intrusive::list<
      User, boost::intrusive::member_hook<User, boost::intrusive::list_member_hook<>, &User::lru_hook>>;

  using OfSlot = boost::intrusive::list<
      User,
      boost::intrusive::member_hook<
          User,
          boost::intrusive::list_member_hook<boost::intrusive::link_mode<boost::intrusive::auto_unlink>>,
          &User::slot_hook>,
      boost::intrusive::constant_time_size<false>>;

  const std::size_t capacity_;
  const RulesOfApps* const rules_;
  const AppRules usual_;
  std::unordered_map<Slot, OfSlot> of_slots_;
  std::unordered_map<UserKey, std::unique_ptr<User>, Hash, Equal> users_;
  std::vector<std::unique_ptr<User>> retired_;
  Lru lru_;  // longest untouched first
};

}  // namespace hongyan::logic
