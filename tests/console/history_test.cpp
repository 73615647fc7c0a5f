// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/history.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <string>

namespace xl::console {
namespace {

void append(History& history, const std::string& text) {
  history.append(std::as_bytes(std::span(text)));
}

TEST(HistoryOf, WhatWasPrintedComesBackInOrder) {
  History history(64 << 10);
  append(history, "one\n");
  append(history, "two\n");
  EXPECT_EQ(history.text(), "one\ntwo\n");
}

TEST(HistoryOf, ALotKeepsTheEndWithinItsLimit) {
  constexpr std::size_t limit = 64 << 10;
  History history(limit);
  std::string all;
  for (int i = 0; i < 50000; ++i) {
    const std::string line = std::to_string(i) + '\n';
    append(history, line);
    all += line;
  }
  const std::string kept = history.text();
  EXPECT_GE(kept.size(), limit);
  EXPECT_LT(kept.size(), limit + 4096);
  EXPECT_EQ(kept.size(), history.size());
  EXPECT_TRUE(all.ends_with(kept));
}

TEST(HistoryOf, APieceLargerThanTheLimitKeepsItsEnd) {
  History history(5000);
  append(history, std::string(100000, 'a') + "end");
  EXPECT_TRUE(history.text().ends_with("aend"));
  EXPECT_LT(history.size(), 10000U);
}

TEST(LastLine, IsTheLastWithAnythingOnIt) {
  EXPECT_EQ(last_line(""), "");
  EXPECT_EQ(last_line("\r\n \n"), "");
  EXPECT_EQ(last_line("one"), "one");
  EXPECT_EQ(last_line("one\n  two \r\n\r\n"), "two");
  EXPECT_EQ(last_line("progress 1%\rprogress 2%"), "progress 2%");
}

}  // namespace
}  // namespace xl::console
