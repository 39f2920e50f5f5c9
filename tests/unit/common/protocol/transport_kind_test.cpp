#include "common/protocol/transport_kind.h"

#include <gtest/gtest.h>

namespace hongyan::protocol {
namespace {

TEST(TransportKindTest, ReadsItsOwnNamesAndNoOthers) {
  for (const TransportKind kind : kAllTransports) EXPECT_EQ(parse_transport(to_string(kind)), kind);
  for (const char* bad : {"", "TCP", "udp", "ws "}) EXPECT_FALSE(parse_transport(bad)) << bad;
}

}  // namespace
}  // namespace hongyan::protocol
