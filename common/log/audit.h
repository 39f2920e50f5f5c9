// The audit log: who came in, who was turned away, and what was changed by whom. One JSON object a line, in a file of its
// own. Never contents of messages, never secrets.
//
//   audit::write("login_refused", {{"uid", uid}, {"address", address}, {"code", "UNAUTHENTICATED"}});
//   {"time":"2026-01-31T12:00:00.250Z","event":"login_refused","daemon":"hongyan-gate","uid":"bob", …}
//
// The file is turned when it is full: FILE, FILE.1, … as spdlog's rotating sink names them. Lines are written by a thread
// of their own; when the disk does not follow, the oldest are left out and counted, and no event loop waits.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/result.h"

namespace hongyan::audit {

struct Options {
  std::string file;  // empty: no audit log
  std::size_t max_file_bytes = 64 << 20;
  std::uint32_t max_files = 16;  // older ones are deleted
};

// Once, at start, by main, before other threads write; close() writes what is queued. Error kUnavailable: the file
// cannot be written.
[[nodiscard]] Status open(std::string_view daemon, const Options& options);
void close();

// Whether there is one: what is costly to put together need not be. Any thread.
[[nodiscard]] bool enabled() noexcept;

struct Field {
  std::string_view name;
  std::variant<std::string_view, std::int64_t> value;  // bytes that are not UTF-8 are replaced
};
// Any thread. Does nothing when there is no audit log. event: a name of docs/operations.md, "The audit log".
void write(std::string_view event, std::initializer_list<Field> fields);

// Lines that were left out since the start.
[[nodiscard]] std::uint64_t dropped_lines() noexcept;

}  // namespace hongyan::audit
