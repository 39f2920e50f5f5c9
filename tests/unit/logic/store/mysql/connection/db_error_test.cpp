#include "logic/store/mysql/connection/db_error.h"

#include <gtest/gtest.h>

namespace hongyan::logic {
namespace {

TEST(DbErrorTest, EveryAnswerOfAServerMeansOneThing) {
  const std::initializer_list<std::pair<unsigned, DbFault>> kMeanings = {
      {1062, DbFault::kDuplicate}, {1586, DbFault::kDuplicate}, {1205, DbFault::kConflict},
      {1213, DbFault::kConflict},  {1020, DbFault::kConflict},  {1406, DbFault::kPermanent},
      {1153, DbFault::kPermanent}, {2020, DbFault::kPermanent}, {4025, DbFault::kPermanent},
      {1290, DbFault::kUnable},    {1792, DbFault::kUnable},    {1836, DbFault::kUnable},
      {1142, DbFault::kUnable},    {1045, DbFault::kUnable},    {1114, DbFault::kUnable},
      {1364, DbFault::kUnable},    {1146, DbFault::kUnable},    {1665, DbFault::kUnable},
      {1021, DbFault::kDoubtful},  {1026, DbFault::kDoubtful},  {1180, DbFault::kDoubtful},
      {3100, DbFault::kDoubtful},  {1053, DbFault::kLost},      {1317, DbFault::kLost},
      {2006, DbFault::kLost},      {2013, DbFault::kLost},      {2999, DbFault::kLost},
      {1644, DbFault::kOther},     {1105, DbFault::kOther},     {3000, DbFault::kOther},
      {9999, DbFault::kOther}};
  for (const auto& [code, fault] : kMeanings) EXPECT_EQ(classify(code), fault) << code;
}

TEST(DbErrorTest, OnlyALostConnectionOrACommitLeaveADoubt) {
  using enum DbFault;
  for (const DbFault fault : {kLost, kDoubtful, kDuplicate, kConflict, kPermanent, kUnable, kOther}) {
    EXPECT_FALSE(perhaps_stored(fault, DbSent::kNothing)) << fault_name(fault);
    EXPECT_EQ(perhaps_stored(fault, DbSent::kStatement), fault == kLost || fault == kDoubtful)
        << fault_name(fault);
    EXPECT_EQ(perhaps_stored(fault, DbSent::kCommit), fault != kUnable) << fault_name(fault);
  }
}

TEST(DbErrorTest, ClientsAreToldNothingOfTheServers) {
  for (unsigned code = 1000; code < 5000; ++code) {
    const DbError error = make_db_error(code, "TELLTALE at /run/x.sock");
    const Error told = to_error(error);
    EXPECT_FALSE(told.message.contains("TELLTALE")) << told.message;
    EXPECT_FALSE(told.message.contains(std::to_string(code))) << told.message;
    const bool final = error.fault == DbFault::kDuplicate || error.fault == DbFault::kPermanent;
    EXPECT_EQ(told.code, final ? Code::kInternal : Code::kUnavailable) << code;
    EXPECT_EQ(told.retry_after_ms == 0, final) << code;
  }
}

TEST(DbErrorTest, OperatorsAreToldInWords) {
  EXPECT_EQ(make_db_error(1045, "Access denied for user 'x'").reason(),
            "the server refuses the user or the password, or wants TLS (1045)");
  EXPECT_EQ(make_db_error(1644, "of a trigger").reason(), "of a trigger (1644)");
  EXPECT_EQ(make_db_error(1644, "of a trigger").text(), "other 1644: of a trigger");
  EXPECT_TRUE(to_operator_error(make_db_error(1644, "of a trigger")).message.contains("of a trigger"));
  EXPECT_FALSE(make_db_error(1062, "Duplicate entry 'secret'").text().contains("secret"));
}

}  // namespace
}  // namespace hongyan::logic
