#include "gate/session/admission.h"

#include <gtest/gtest.h>

namespace hongyan::gate {
namespace {

using net::asio::ip::make_address;
using Place = Admission::Place;

class AdmissionTest : public testing::Test {
 protected:
  // nullopt: admitted, and kept in places.
  std::optional<Refusal> admit(Admission& admission, const char* address) {
    auto place = admission.admit(make_address(address), now);
    if (!place) return place.error();
    places.push_back(std::move(*place));
    return std::nullopt;
  }

  AdmissionOptions options;
  SteadyTime now{std::chrono::hours(1)};
  std::vector<Place> places;  // cleared before the admission ends
};

TEST_F(AdmissionTest, CountsInAllAndByAddress) {
  Admission admission(options, 3, 2);
  EXPECT_EQ(admit(admission, "10.0.0.1"), std::nullopt);
  EXPECT_EQ(admit(admission, "10.0.0.1"), std::nullopt);
  EXPECT_EQ(admit(admission, "10.0.0.1"), Refusal::kTooManyFromAddress);
  EXPECT_EQ(admit(admission, "10.0.0.2"), std::nullopt);
  EXPECT_EQ(admit(admission, "10.0.0.2"), Refusal::kTooManyConnections);
  places.erase(places.begin());
  EXPECT_EQ(admission.open(), 2U);
  EXPECT_EQ(admit(admission, "10.0.0.1"), std::nullopt);
  places.clear();
  EXPECT_EQ(admission.open(), 0U);
  EXPECT_EQ(admission.take_peak(), 3U);
  EXPECT_EQ(admission.take_peak(), 0U);
}

TEST_F(AdmissionTest, TellsIpv4ClientsOfAnIpv6SocketApart) {
  Admission admission(options, 10, 1);
  EXPECT_EQ(admit(admission, "::ffff:192.0.2.1"), std::nullopt);
  EXPECT_EQ(admit(admission, "::ffff:192.0.2.2"), std::nullopt);
  EXPECT_EQ(admit(admission, "::ffff:192.0.2.1"), Refusal::kTooManyFromAddress);
  EXPECT_EQ(admit(admission, "192.0.2.2"), Refusal::kTooManyFromAddress);
  places.clear();
}

TEST_F(AdmissionTest, TakesANetworkForOneAddress) {
  options.ipv4_prefix = 24;
  Admission admission(options, 10, 1);
  EXPECT_EQ(admit(admission, "2001:db8::1"), std::nullopt);
  EXPECT_EQ(admit(admission, "2001:db8::2"), Refusal::kTooManyFromAddress);
  EXPECT_EQ(admit(admission, "2001:db8:0:1::1"), std::nullopt);
  EXPECT_EQ(admit(admission, "192.0.2.1"), std::nullopt);
  EXPECT_EQ(admit(admission, "192.0.2.2"), Refusal::kTooManyFromAddress);
  EXPECT_EQ(admit(admission, "192.0.3.1"), std::nullopt);
  places.clear();
}

TEST_F(AdmissionTest, LimitsTheRateOfConnections) {
  options.connections_per_second = 2;
  options.connection_burst = 3;
  Admission admission(options, 100, 0);
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(admit(admission, "10.0.0.1"), std::nullopt);
    places.clear();  // that it has gone does not matter
  }
  EXPECT_EQ(admit(admission, "10.0.0.1"), Refusal::kConnectRate);
  EXPECT_EQ(admit(admission, "10.0.0.2"), std::nullopt);
  now += Milliseconds(500);
  EXPECT_EQ(admit(admission, "10.0.0.1"), std::nullopt);
  EXPECT_EQ(admit(admission, "10.0.0.1"), Refusal::kConnectRate);
  places.clear();
}

TEST_F(AdmissionTest, LimitsThoseThatHaveNotLoggedIn) {
  options.max_pending = 3;
  options.max_pending_per_address = 2;
  Admission admission(options, 100, 0);
  EXPECT_EQ(admit(admission, "10.0.0.1"), std::nullopt);
  EXPECT_EQ(admit(admission, "10.0.0.1"), std::nullopt);
  EXPECT_EQ(admit(admission, "10.0.0.1"), Refusal::kTooManyPendingFromAddress);
  EXPECT_EQ(admit(admission, "10.0.0.2"), std::nullopt);
  EXPECT_EQ(admit(admission, "10.0.0.3"), Refusal::kTooManyPending);
  places.front().logged_in();
  places.front().logged_in();  // again, by a renewal
  EXPECT_EQ(admit(admission, "10.0.0.1"), std::nullopt);
  EXPECT_EQ(admit(admission, "10.0.0.3"), Refusal::kTooManyPending);
  places.clear();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(admit(admission, "10.0.0.1"), std::nullopt);
  places.clear();
}

TEST_F(AdmissionTest, LimitsHandshakes) {
  options.max_handshakes = 3;
  options.max_handshakes_per_address = 2;
  options.handshakes_per_second = 1;
  options.handshake_burst = 3;
  Admission admission(options, 100, 0);
  for (int i = 0; i < 5; ++i) ASSERT_EQ(admit(admission, i < 4 ? "10.0.0.1" : "10.0.0.2"), std::nullopt);
  EXPECT_EQ(places[0].begin_handshake(now), std::nullopt);
  EXPECT_EQ(places[1].begin_handshake(now), std::nullopt);
  EXPECT_EQ(places[2].begin_handshake(now), Refusal::kTooManyHandshakesFromAddress);
  EXPECT_EQ(places[4].begin_handshake(now), std::nullopt);
  EXPECT_EQ(places[2].begin_handshake(now), Refusal::kTooManyHandshakes);
  places[4].end_handshake();
  places[0].end_handshake();
  EXPECT_EQ(places[2].begin_handshake(now), std::nullopt);
  places[1].end_handshake();
  EXPECT_EQ(places[3].begin_handshake(now), Refusal::kHandshakeRate);
  now += Milliseconds(1000);
  EXPECT_EQ(places[3].begin_handshake(now), std::nullopt);
  places.clear();  // in the middle of it
  ASSERT_EQ(admit(admission, "10.0.0.2"), std::nullopt);
  EXPECT_EQ(places[0].begin_handshake(now), std::nullopt);
  places.clear();
}

TEST_F(AdmissionTest, LimitsRefusedLogins) {
  options.refused_logins_per_second = 1;
  options.refused_login_burst = 4;
  options.exempt = {"10.0.0.1"};
  Admission admission(options, 100, 0);
  for (int i = 0; i < 8; ++i) ASSERT_EQ(admit(admission, i < 7 ? "10.0.0.1" : "10.0.0.2"), std::nullopt);
  // Any number may be under way, and those that are let in count nothing.
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(places[static_cast<std::size_t>(i)].begin_login(now));
  for (int i = 0; i < 7; ++i) places[static_cast<std::size_t>(i)].end_login(i < 3, now);
  // Three of four were refused: one more may be.
  EXPECT_TRUE(places[0].begin_login(now));
  EXPECT_FALSE(places[1].begin_login(now));
  places[0].end_login(false, now);
  EXPECT_TRUE(places[1].begin_login(now));
  places[1].end_login(true, now);
  EXPECT_FALSE(places[0].begin_login(now));
  EXPECT_TRUE(places[7].begin_login(now));  // another address
  now += Milliseconds(1000);
  EXPECT_TRUE(places[0].begin_login(now));
  places.clear();  // in the middle of it
  ASSERT_EQ(admit(admission, "10.0.0.1"), std::nullopt);
  EXPECT_TRUE(places[0].begin_login(now));
  places.clear();
}

TEST_F(AdmissionTest, ExemptNetworksHaveOnlyTheLimitsOfAll) {
  options.exempt = {"10.0.0.0/8"};
  options.connection_burst = 1;
  options.max_pending = 5;
  options.max_pending_per_address = 1;
  options.max_handshakes_per_address = 1;
  options.max_handshakes = 2;
  Admission admission(options, 100, 1);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(admit(admission, "10.9.9.9"), std::nullopt);
  EXPECT_EQ(places[0].begin_handshake(now), std::nullopt);
  EXPECT_EQ(places[1].begin_handshake(now), std::nullopt);
  EXPECT_EQ(places[2].begin_handshake(now), Refusal::kTooManyHandshakes);
  EXPECT_EQ(admit(admission, "10.9.9.9"), Refusal::kTooManyPending);
  places.clear();
}

TEST_F(AdmissionTest, ForgetsWhomNothingIsCountedOf) {
  options.max_addresses = 100;
  options.connections_per_second = 1;
  Admission admission(options, 10000, 0);
  for (unsigned i = 0; i < 1000; ++i) {
    EXPECT_EQ(admit(admission, ("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250)).c_str()),
              std::nullopt);
    places.clear();
    EXPECT_LE(admission.addresses(), 101U);
  }
  EXPECT_EQ(admit(admission, "10.1.0.0"), std::nullopt);  // stays, it has a connection
  now += std::chrono::seconds(10);
  for (int i = 0; i < 200; ++i) static_cast<void>(admission.admit(make_address("10.1.0.1"), now));
  EXPECT_EQ(admission.addresses(), 2U);
  places.clear();
}

TEST_F(AdmissionTest, NoPlaceTakesNothing) {
  Place none;
  EXPECT_EQ(none.begin_handshake(now), std::nullopt);
  EXPECT_TRUE(none.begin_login(now));
  none.end_login(true, now);
  none.logged_in();
}

}  // namespace
}  // namespace hongyan::gate
