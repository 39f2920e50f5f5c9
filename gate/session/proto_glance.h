// A glance at protobuf bytes without building a message: does it parse, and what stands in one field.
//
// Written by hand because protobuf's CodedInputStream with WireFormatLite::SkipField takes some bodies that
// its parser refuses (a field 0, a length beyond 32 bits), and 1.2 to 1.9 times as long.
#pragma once

#include <cstdint>
#include <string_view>

namespace hongyan::gate {

// True: the top level is well-formed, so that a message of `bytes`, `string` and number fields parses from
// it. Groups (never used by our messages) are refused. Linear in the number of fields, allocates nothing.
[[nodiscard]] bool well_formed(std::string_view body) noexcept;

// A PushAck's seq (0 when absent) goes to `seq`. False: not well-formed.
[[nodiscard]] bool read_push_ack(std::string_view body, std::int64_t& seq) noexcept;

}  // namespace hongyan::gate
