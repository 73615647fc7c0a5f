// SPDX-License-Identifier: Apache-2.0
#include "libxl++/config/characters.hpp"

#include <gtest/gtest.h>

#include "base/suggest.hpp"
#include "libxl++/config/number.hpp"

namespace xl::config {
namespace {

TEST(Utf8, LengthOfWellFormedCharacters) {
  EXPECT_EQ(utf8_length("a"), 1U);
  EXPECT_EQ(utf8_length("\xc3\xa9"), 2U);
  EXPECT_EQ(utf8_length("\xe2\x82\xac"), 3U);
  EXPECT_EQ(utf8_length("\xf0\x9f\x98\x80"), 4U);
  EXPECT_EQ(utf8_length("\xf4\x8f\xbf\xbf"), 4U);
}

TEST(Utf8, RefusesWhatIsNone) {
  for (const char* text :
       {"\x80", "\xc3", "\xc3(", "\xc0\x80", "\xc1\xbf", "\xe0\x80\x80", "\xed\xa0\x80",
        "\xf0\x80\x80\x80", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xff"}) {
    EXPECT_EQ(utf8_length(text), 0U) << printable(text);
  }
}

TEST(Utf8, FindsTheFirstWrongOctet) {
  EXPECT_EQ(find_invalid_utf8("a\xc3\xa9z"), std::string_view::npos);
  EXPECT_EQ(find_invalid_utf8("a\xc3\xa9\xff"), 3U);
}

TEST(Utf8, CountsCharacters) {
  EXPECT_EQ(count_characters("a\xc3\xa9\xffz"), 4U);
}

TEST(Printable, EscapesAndCuts) {
  EXPECT_EQ(printable("a\nb\x7f\xff\xc3\xa9"), "a\\x0ab\\x7f\\xff\xc3\xa9");
  EXPECT_EQ(printable("abcdef", 3), "abc...");
  EXPECT_EQ(printable("abc", 3), "abc");
}

TEST(Number, Bases) {
  EXPECT_EQ(parse_number("10").magnitude, 10U);
  EXPECT_EQ(parse_number("010").magnitude, 8U);
  EXPECT_EQ(parse_number("0x1F").magnitude, 31U);
  EXPECT_EQ(parse_number("0").magnitude, 0U);
  EXPECT_EQ(parse_number("+5").magnitude, 5U);
}

TEST(Number, Signs) {
  EXPECT_TRUE(parse_number("-5").negative);
  EXPECT_FALSE(parse_number("-0").negative);
  EXPECT_FALSE(parse_number("5").negative);
}

TEST(Number, Limits) {
  EXPECT_EQ(parse_number("18446744073709551615").magnitude, 18446744073709551615U);
  EXPECT_FALSE(parse_number("18446744073709551615").huge);
  EXPECT_TRUE(parse_number("18446744073709551616").huge);
  EXPECT_TRUE(parse_number("-18446744073709551616").negative);
}

TEST(Number, Faults) {
  for (const char* text :
       {"", "-", "+", "0x", "--1", "1 ", " 1", "1a", "0b1", "0x1g", "-0x", "0xx1"}) {
    EXPECT_EQ(parse_number(text).fault, Number::Fault::not_a_number) << text;
  }
  EXPECT_EQ(parse_number("08").fault, Number::Fault::bad_octal);
  EXPECT_EQ(parse_number("0119").fault, Number::Fault::bad_octal);
}

TEST(Suggest, Distance) {
  EXPECT_EQ(edit_distance("memory", "memory", 3), 0U);
  EXPECT_EQ(edit_distance("memroy", "memory", 3), 1U);
  EXPECT_EQ(edit_distance("memry", "memory", 3), 1U);
  EXPECT_EQ(edit_distance("Memory", "memory", 3), 0U);
  EXPECT_EQ(edit_distance("", "abc", 3), 3U);
  EXPECT_EQ(edit_distance("kitten", "sitting", 5), 3U);
}

TEST(Suggest, GivesUpAtTheLimit) {
  EXPECT_EQ(edit_distance("abcdef", "uvwxyz", 2), 3U);
  EXPECT_EQ(edit_distance(std::string(1000, 'a'), std::string(1000, 'a'), 2), 3U);
}

}  // namespace
}  // namespace xl::config
