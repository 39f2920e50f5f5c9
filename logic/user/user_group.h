// A group from the side of one who is, or was, a member.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/base/device_class.h"
#include "logic/store/box_works.h"

namespace hongyan::logic {

// A group that the user is, or was, a member of.
class UserGroup {
 public:
  // Of each stay the higher changed_seq wins.
  void learn(const Membership& told);

  // The stay that began last.
  [[nodiscard]] const Membership& membership() const noexcept { return latest_; }
  [[nodiscard]] bool is_member() const noexcept { return latest_.changed_seq != 0 && latest_.left_seq == 0; }
  [[nodiscard]] bool large() const noexcept { return latest_.large_from_seq != 0; }

  // What may be read of a large group in one go: first <= group_seq <= last.
  struct Span {
    std::int64_t first = 0;
    std::int64_t last = 0;  // kNoEnd: a member
  };
  static constexpr std::int64_t kNoEnd = Membership::kNoEnd;
  // The user has left and there is nothing to read: nobody needs it any more.
  [[nodiscard]] bool is_over() const noexcept {
    return latest_.is_over() && earlier_.empty() && changed_cursors == 0;
  }
  // The next beyond seq, of the stay that has it. Empty: there will be nothing more, as things stand.
  [[nodiscard]] std::optional<Span> readable_after(std::int64_t seq) const noexcept;

  // How far the devices of the class hold the group: what was acknowledged, or up to what they may read next.
  [[nodiscard]] std::int64_t cursor(DeviceClass device_class) const noexcept;

  std::array<std::int64_t, kDeviceClassCount> acked{};  // cursors in a large group
  std::size_t members = 0;                              // of the group, as last heard; 0: not known
  std::uint8_t changed_cursors = 0;                     // those to be written, a bit each

 private:
  Membership latest_;
  std::vector<Span> earlier_;  // of stays that ended before; ascending
};
static_assert(kDeviceClassCount <= 8);

}  // namespace hongyan::logic
