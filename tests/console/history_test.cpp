// SPDX-License-Identifier: Apache-2.0
#include "libxl++/console/history.hpp"

#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <span>
#include <string>

namespace xl::console {
namespace {

class HistoryOf : public ::testing::Test {
 protected:
  HistoryOf() {
    std::string pattern = (std::filesystem::temp_directory_path() / "xl-history-XXXXXX").string();
    directory_ = ::mkdtemp(pattern.data());
  }
  ~HistoryOf() override {
    std::error_code ignored;
    std::filesystem::remove_all(directory_, ignored);
  }
  static void append(History& history, const std::string& text) {
    ASSERT_TRUE(history.append(std::as_bytes(std::span(text))));
  }
  static void keep(History& history, const std::string& text, History::Position position = {}) {
    append(history, text);
    ASSERT_TRUE(history.commit(position));
  }
  std::string path() const { return directory_ + "/history"; }

  std::string directory_;
};

TEST_F(HistoryOf, WhatWasPrintedComesBackInOrder) {
  History history(path());
  keep(history, "one\n");
  keep(history, "two\n");
  EXPECT_EQ(history.text(), "one\ntwo\n");
}

TEST_F(HistoryOf, ADomainThatPrintsNothingHasNoFile) {
  const History history(path());
  EXPECT_EQ(history.text(), "");
  EXPECT_FALSE(std::filesystem::exists(path()));
}

TEST_F(HistoryOf, ALotKeepsTheEnd) {
  History history(path());
  std::string all;
  for (int i = 0; i < 50000; ++i) {
    const std::string line = std::to_string(i) + '\n';
    append(history, line);
    all += line;
    if (i % 100 == 99) {
      ASSERT_TRUE(history.commit({}));
    }
  }
  const std::string kept = history.text();
  EXPECT_EQ(kept.size(), history_limit);
  EXPECT_TRUE(all.ends_with(kept));
  EXPECT_LT(std::filesystem::file_size(path()), history_limit + 8192);
}

TEST_F(HistoryOf, APieceLargerThanTheLimitKeepsItsEnd) {
  History history(path());
  keep(history, std::string(100000, 'a') + "end");
  EXPECT_EQ(history.text().size(), history_limit);
  EXPECT_TRUE(history.text().ends_with("aend"));
}

TEST_F(HistoryOf, AKilledDaemonGoesOnInTheNext) {
  {
    History killed(path());
    keep(killed, "counted ", {8, 108});
    append(killed, "not counted");
  }
  History next = History::resume(path());
  ASSERT_TRUE(next.position());
  EXPECT_EQ(next.position()->ring_taken, 8U);
  EXPECT_EQ(next.position()->log_size, 108U);
  EXPECT_EQ(next.text(), "counted ");
  keep(next, "again");
  EXPECT_EQ(next.text(), "counted again");
}

TEST_F(HistoryOf, ANewDomainDoesNotSeeTheOneBefore) {
  {
    History old(path());
    keep(old, "old");
  }
  History fresh(path());
  EXPECT_EQ(fresh.text(), "");
  keep(fresh, "new");
  EXPECT_EQ(fresh.text(), "new");
}

TEST_F(HistoryOf, AFileThatMakesNoSenseIsANewOne) {
  std::ofstream(path()) << std::string(1000, 'x');
  History history = History::resume(path());
  EXPECT_FALSE(history.position());
  EXPECT_EQ(history.text(), "");
  keep(history, "new");
  EXPECT_EQ(history.text(), "new");
}

TEST_F(HistoryOf, AFileThatIsShorterThanItSaysGivesWhatThereIs) {
  {
    History history(path());
    keep(history, std::string(10000, 'a'));
  }
  std::filesystem::resize_file(path(), 5064);
  EXPECT_EQ(History::resume(path()).text(), std::string(5000, 'a'));
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
