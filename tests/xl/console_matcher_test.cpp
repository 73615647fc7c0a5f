// SPDX-License-Identifier: Apache-2.0
#include "xl/console_matcher.hpp"

#include <gtest/gtest.h>

namespace xl::cli {
namespace {

ConsoleMatcher matcher(const std::string& pattern) {
  return ConsoleMatcher::create(pattern).value();
}

TEST(ConsoleMatcher, FindsInLinesHoweverTheyArrive) {
  ConsoleMatcher whole = matcher("^login: ?$");
  EXPECT_FALSE(whole.feed("Debian login: x\r\nlog"));
  EXPECT_FALSE(whole.feed("in"));
  EXPECT_TRUE(whole.feed(": "));  // a prompt has no end of line
  ConsoleMatcher ended = matcher("done$");
  EXPECT_FALSE(ended.feed("done.\r\n"));
  EXPECT_TRUE(ended.feed("all done\r\n"));
}

TEST(ConsoleMatcher, LinesAreApart) {
  ConsoleMatcher two = matcher("a.*b");
  EXPECT_FALSE(two.feed("a\nb\n"));
  EXPECT_FALSE(two.feed("a"));
  two.restart();
  EXPECT_FALSE(two.feed("b"));
}

TEST(ConsoleMatcher, AnyBytes) {
  using namespace std::string_literals;
  EXPECT_TRUE(matcher("x.y").feed("x\xffy"));
  EXPECT_TRUE(matcher("\\x00z").feed("\0z"s));
  EXPECT_TRUE(matcher("\xc3\xa4").feed("\xc3\xa4"));
}

TEST(ConsoleMatcher, ALineWithoutEndIsFoundInAndForgotten) {
  ConsoleMatcher far = matcher("needle");
  EXPECT_FALSE(far.feed(std::string(1'000'000, 'x')));
  EXPECT_FALSE(far.feed("nee"));
  EXPECT_TRUE(far.feed("dle"));
}

TEST(ConsoleMatcher, HostilePatternsAreLinear) {
  EXPECT_FALSE(matcher("(x+x+)+y").feed(std::string(100'000, 'x')));
  EXPECT_FALSE(ConsoleMatcher::create("(((a{999}){999}){999})"));  // too large
  const auto refused = ConsoleMatcher::create("(a");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().exit, Exit::usage);
  EXPECT_NE(refused.error().text.find("missing )"), std::string::npos);
}

}  // namespace
}  // namespace xl::cli
