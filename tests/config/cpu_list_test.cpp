// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/cpu_list.hpp"

#include <gtest/gtest.h>

#include <initializer_list>

namespace xl::config {
namespace {

CpuSet set_of(std::initializer_list<std::uint32_t> cpus) {
  CpuSet set;
  for (const std::uint32_t cpu : cpus) {
    set.set(cpu);
  }
  return set;
}

CpuSet all() {
  return CpuSet().set();
}

TEST(CpuList, WhatXlTakes) {
  const std::pair<const char*, CpuSet> lists[] = {
      {"0", set_of({0})},
      {"3", set_of({3})},
      {"0-3", set_of({0, 1, 2, 3})},
      {"0-3,5", set_of({0, 1, 2, 3, 5})},
      {"0-3,^1", set_of({0, 2, 3})},
      {"0-5,^1-2,^4", set_of({0, 3, 5})},
      {"^1,0-2", set_of({0, 1, 2})},
      {" 0 , 2 - 3 ", set_of({0, 2, 3})},
      {"7,7", set_of({7})},
      {"1023", set_of({1023})},
      {"all", all()},
      {"nodes:0", all()},
      {"node:0", all()},
      {"nodes:0-0", all()},
      {"nodes:all", all()},
      {"node:0,^1-1023", set_of({0})},
      {"all,^node:0,4", set_of({4})},
  };
  for (const auto& [text, expected] : lists) {
    const auto set = parse_cpu_list(text);
    ASSERT_TRUE(set) << text << ": " << describe(set.error());
    EXPECT_EQ(*set, expected) << text;
  }
}

TEST(CpuList, WhatIsNone) {
  for (const char* text : {"",
                           ",",
                           "0,",
                           ",0",
                           "a",
                           "-",
                           "-1",
                           "1-",
                           "--1",
                           "1-2-3",
                           "3-1",
                           "0x1",
                           "+1",
                           "1 2",
                           "^",
                           "^^1",
                           "1024",
                           "0-1024",
                           "99999999999999999999",
                           "All",
                           "alle",
                           "node:",
                           "node:1",
                           "nodes:0-1",
                           "nodes:2",
                           "node",
                           "0:1",
                           "^1",
                           "0-3,^0-3",
                           "all,^all",
                           "all,^node:0"}) {
    const auto set = parse_cpu_list(text);
    ASSERT_FALSE(set) << text;
    EXPECT_EQ(set.error().code, ErrorCode::invalid_argument) << text;
    EXPECT_FALSE(set.error().hint.empty()) << text;
  }
}

TEST(CpuList, ErrorsNameTheItemAndTheCure) {
  EXPECT_EQ(parse_cpu_list("0,3-1").error().message, "'3-1' ends before it begins");
  EXPECT_EQ(parse_cpu_list("0,1024").error().message,
            "'1024' is out of range: numbers go up to 1023");
  EXPECT_EQ(parse_cpu_list("0,node:1").error().message,
            "'node:1' names a NUMA node that the host has not");
  EXPECT_EQ(parse_cpu_list("^1").error().message, "'^1' leaves no CPU");
}

TEST(CpuList, IsPrintedInTheShortestForm) {
  EXPECT_EQ(format_cpu_list(CpuSet()), "none");
  EXPECT_EQ(format_cpu_list(all()), "all");
  EXPECT_EQ(format_cpu_list(set_of({0, 1}), 2), "all");
  EXPECT_EQ(format_cpu_list(set_of({0, 1}), 3), "0-1");
  EXPECT_EQ(format_cpu_list(set_of({0, 1, 2, 5, 7, 8}), 16), "0-2,5,7-8");
  EXPECT_EQ(format_cpu_list(set_of({1023})), "1023");
}

TEST(CpuList, WhatIsPrintedIsReadAgain) {
  for (const char* text : {"0", "0-7", "1,3,5-9", "all", "all,^0", "1023", "0-1022"}) {
    const auto set = parse_cpu_list(text);
    ASSERT_TRUE(set);
    EXPECT_EQ(parse_cpu_list(format_cpu_list(*set)).value(), *set) << text;
  }
}

}  // namespace
}  // namespace xl::config
