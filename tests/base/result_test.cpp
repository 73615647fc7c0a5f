// SPDX-License-Identifier: Apache-2.0
#include "base/result.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "base/error.hpp"

namespace xl {
namespace {

Result<int> parse_positive(int value) {
  if (value <= 0) {
    return fail(ErrorCode::invalid_argument, "not positive: " + std::to_string(value));
  }
  return value;
}

Result<int> doubled(int value) {
  XL_TRY_ASSIGN(const int parsed, parse_positive(value));
  return parsed * 2;
}

Result<void> checked(int value) {
  XL_TRY_DOING(parse_positive(value), "checking");
  return {};
}

TEST(Result, CarriesValueOrError) {
  EXPECT_EQ(*doubled(4), 8);
  const Result<int> bad = doubled(-1);
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().message, "not positive: -1");
  EXPECT_EQ(bad.value_or(7), 7);
}

TEST(Result, ContextIsAddedOnTheWayUp) {
  EXPECT_TRUE(checked(1));
  EXPECT_EQ(describe(checked(0).error()), "not positive: 0 (while checking)");
}

TEST(Result, HoldsMoveOnlyValues) {
  Result<std::unique_ptr<int>> result(std::make_unique<int>(3));
  Result<std::unique_ptr<int>> moved(std::move(result));
  const std::unique_ptr<int> value = std::move(moved).value();
  EXPECT_EQ(*value, 3);
}

TEST(Result, AssignmentReplacesEitherSide) {
  Result<std::string> result(std::string("first"));
  result = Result<std::string>(fail(ErrorCode::busy, "later"));
  ASSERT_FALSE(result);
  result = Result<std::string>(std::string("again"));
  EXPECT_EQ(*result, "again");
}

TEST(ResultDeathTest, ReadingTheAbsentSideTraps) {
  const Result<int> bad = parse_positive(0);
  EXPECT_DEATH(static_cast<void>(bad.value()), "");
}

}  // namespace
}  // namespace xl
